"""`python -m offby` is the command line."""

from offby.cli import main

main()
