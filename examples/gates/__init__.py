"""Real-valued circuits: gates that know a value on the way forward and a pull on the way back."""
