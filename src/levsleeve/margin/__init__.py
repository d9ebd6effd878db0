"""The rulebook: what an account must keep, pays and earns, as compiled rules over dated tables."""
