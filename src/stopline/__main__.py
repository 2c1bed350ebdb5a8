"""`python -m stopline` is the same command as `stopline`."""

from stopline.cli import main

if __name__ == "__main__":
    main()
