"""What doctor says of facts that it is given. Pure: no I/O, no clock."""
