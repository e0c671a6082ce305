"""What guards may do about an event: the policies as a user writes them, and which of them acts now."""
