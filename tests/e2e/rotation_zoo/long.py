"""The same as test.py, with five hundred seeds."""

from test import main

main(500)
