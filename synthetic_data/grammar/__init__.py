"""French template grammar of posts and reports: rules as data, agreement and élision by construction, four registers.

:mod:`~synthetic_data.grammar.engine` expands; :mod:`~synthetic_data.grammar.words` makes « un », « de l’ », « aux »;
:mod:`~synthetic_data.grammar.registers` turns a sentence written in current French into familiar French or text-message
spelling; the other modules hold the sentences. :func:`~synthetic_data.grammar.catalogue.french` puts them together.

What it cannot tell you: how people write. A classifier that does well on these sentences has learnt a grammar of a few
hundred rules, and no score measured on them carries over to real posts.
"""

from __future__ import annotations

from synthetic_data.grammar.catalogue import french as french
