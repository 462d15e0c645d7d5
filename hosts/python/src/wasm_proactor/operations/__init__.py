"""Operations: one file for each kind, with the same name as its other half in the guest library."""
