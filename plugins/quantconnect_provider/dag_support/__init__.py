"""What the shipped DAGs are made of; the DAG files only say what follows what."""
