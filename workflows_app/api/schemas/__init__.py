"""The shapes of what goes in and out, by noun. Keys are camelCase outside and snake_case inside."""
