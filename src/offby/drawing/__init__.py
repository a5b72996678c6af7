"""Pictures and pages as such, whatever they show: plots, charts, numbers for people, templates."""
