"""One file a module; the name of a test is the sentence that would be in the manual."""
