"""The programs of the make targets. `dev.venv` runs on a bare python3; the others inside .venv."""
