"""One module for each family of shapes; `registry` lists them all."""
