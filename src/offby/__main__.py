"""`python -m offby` is the command line."""

from offby.cli import main

if __name__ == "__main__":
    main()
