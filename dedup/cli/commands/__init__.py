"""The commands, a module each: options, one call of the library, output."""
