"""Commands of the command line, one a file; ``cli`` registers them. They import what they need when they are called."""
