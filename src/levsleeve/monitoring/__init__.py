"""An account at hand watched by the policy of a sleeve."""
