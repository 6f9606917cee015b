"""Values of the model as notebooks show them: HTML that stands by itself."""
