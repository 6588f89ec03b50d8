"""The experiments E01 … E28: a world, a system, a measurement. Tables and results come out; verdicts do not.

:data:`EXPERIMENTS` lists those that run today. Those that the register names and that are not here are reported
as *pending*, never as a result.
"""

from typing import Final

#: Experiment id → module. Keys are what reports cite.
EXPERIMENTS: Final[dict[str, str]] = {
    "E01": "contrechamp.experiments.e01_hotspot_skill",
    "E02": "contrechamp.experiments.e02_feedback_loop",
    "E03": "contrechamp.experiments.e03_bias_amplification",
    "E04": "contrechamp.experiments.e04_event_note",
    "E05": "contrechamp.experiments.e05_adequacy",
    "E12": "contrechamp.experiments.e12_base_rates",
    "E18": "contrechamp.experiments.e18_denominators",
    "E20": "contrechamp.experiments.e20_stream_ablation",
    "E21": "contrechamp.experiments.e21_allocation",
    "E22": "contrechamp.experiments.e22_factors",
    "E24": "contrechamp.experiments.e24_costs",
    "E25": "contrechamp.experiments.e25_counts_by_effort",
    "E27": "contrechamp.experiments.e27_placebo",
    "E28": "contrechamp.experiments.e28_forking_paths",
}
