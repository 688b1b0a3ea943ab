"""Test kit: conformance checks, sample makers, simulators."""
