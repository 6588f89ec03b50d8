"""The audit: register of claims, frozen plan, decision rules, report, evidence, verification."""
