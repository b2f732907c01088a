"""The JSON contract, one router per front door."""
