"""``python -m levsleeve``: the command line."""

from levsleeve.cli.app import main

if __name__ == "__main__":
    main()
