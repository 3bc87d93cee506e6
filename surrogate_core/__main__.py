"""`python -m surrogate_core` is the command `surrogate-core`, also where nothing is installed."""

from surrogate_core.cli import main

if __name__ == "__main__":
    main()
