"""Tables of E25: trends in what a service counts."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """What each reading of the counts says of the trend, by world; the busier of the two volumes."""
    rows = facts.rows("E25", "sign_agreement", estimator="raw")
    most = max((float(r["world"]["per_week"]) for r in rows), default=0.0)
    worlds = distinct([r for r in rows if r["world"]["per_week"] == most], "effort_trend_sd", "steering")
    base = {"per_week": most}
    columns = [
        Wide(Text(fr="Signes justes, bruts", en="Right signs, raw"), "sign_agreement", {**base, "estimator": "raw"}),
        Wide(Text(fr="Par heure", en="Per hour"), "sign_agreement", {**base, "estimator": "per-hour"}),
        Wide(Text(fr="Recapture", en="Recapture"), "sign_agreement", {**base, "estimator": "recapture"}),
        Wide(Text(fr="Biais de la pente, bruts", en="Bias of the slope, raw"), "slope_bias",
             {**base, "estimator": "raw"}),
        Wide(Text(fr="Intervalles tenus, bruts", en="Intervals held, raw"), "coverage", {**base, "estimator": "raw"}),
    ]  # fmt: skip
    caption = Text(
        fr="E25 : signe, biais et intervalles de la tendance lue dans les comptages, quartiers où il y a le plus à "
        "compter. Le biais est compté dans le sens de la vraie tendance : positif, elle paraît plus forte.",
        en="E25: sign, bias and intervals of the trend read in counts, in the districts with most to count. Bias is "
        "counted in the direction of the true trend: above zero, it looks stronger than it is.",
    )
    return present(
        wide(facts, voice, "E25", caption=caption, head=Text(fr="Monde", en="World"), rows=worlds, columns=columns,
             name=lambda x: world_name(x, voice.lang), weight=2.4)
    )  # fmt: skip
