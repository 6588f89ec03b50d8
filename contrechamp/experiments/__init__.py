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
    "E09": "contrechamp.experiments.e09_loitering",
    "E10": "contrechamp.experiments.e10_abandoned_object",
    "E11": "contrechamp.experiments.e11_anomaly",
    "E12": "contrechamp.experiments.e12_base_rates",
    "E13": "contrechamp.experiments.e13_appearance_search",
    "E14": "contrechamp.experiments.e14_search_time",
    "E15": "contrechamp.experiments.e15_watch_lists",
    "E16": "contrechamp.experiments.e16_abnormal_sounds",
    "E17": "contrechamp.experiments.e17_cameras_and_crime",
    "E18": "contrechamp.experiments.e18_denominators",
    "E20": "contrechamp.experiments.e20_stream_ablation",
    "E21": "contrechamp.experiments.e21_allocation",
    "E22": "contrechamp.experiments.e22_factors",
    "E23": "contrechamp.experiments.e23_promises",
    "E24": "contrechamp.experiments.e24_costs",
    "E25": "contrechamp.experiments.e25_counts_by_effort",
    "E27": "contrechamp.experiments.e27_placebo",
    "E28": "contrechamp.experiments.e28_forking_paths",
}
