"""Plans as a user would write them."""

OWN_COMMISSION = """
[mine]
source = "the broker's letter of May 2024"
standing = "confirmed"
shares = [
  { up_to_shares = 1_000, per_share_usd = 0.01 },
  { up_to_shares = inf, per_share_usd = 0.004 },
]
minimum_order_usd = 2
maximum_fraction = 0.05
clearing_per_share_usd = 0.0
pass_through_fraction = 0.0
options = [{ up_to_contracts = inf, per_contract_usd = [0.5, 0.75, 1] }]
option_minimum_order_usd = 1.5
option_premium_usd = [0.1, 0.2]
exercise_usd = 5.0
"""
OWN_FINANCING = """
[mine]
source = "the broker's letter of May 2024"
standing = "confirmed"
day_count_basis = 365
full_rate_net_liquidation_usd = 0
least_debit_rate = 0.02
borrow_markup = 1.0
borrow_round_up_usd = 0.0
debit = [{ up_to_usd = 50_000, spread = 0.03 }, { up_to_usd = inf, spread = 0.02 }]
credit = [{ up_to_usd = inf }]
short_proceeds = [{ up_to_usd = inf, spread = -0.01 }]

[borrow]
source = "the broker's list of May 2024"
standing = "secondary"
bull_rate = 0.005
inverse_rate = 0.06
"""
