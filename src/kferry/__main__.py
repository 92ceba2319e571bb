"""`python -m kferry` is `kferry`."""

from kferry.cli.main import main

main()
