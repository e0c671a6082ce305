"""What operators, sensors and DAGs share: the base operator, checked inputs, notes, failures."""
