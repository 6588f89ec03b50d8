"""What a sealed run says of itself in forms that others read: in-toto statement, PROV, chain of records, time request.

A judge's expert has tools of their own. The statement is an in-toto Statement v1 in a DSSE envelope, its predicate of
the SLSA provenance v1 shape (the shape alone: no SLSA level is claimed); the origin of each part is in PROV-JSON; the
chain names each result and verdict in order; the time request is RFC 3161, made without a network.

What it cannot tell you: each of these is a word of the signatory, made from the same files. They agree with each
other because one program wrote them; a commit named here is one that somebody else must be able to find.

References
----------
.. [1] in-toto Attestation Framework, Statement v1; DSSE v1.0; SLSA provenance v1.
.. [2] W3C (2013), "PROV-JSON: a JSON serialization for the PROV data model", member submission.
.. [3] Adams et al. (2001), RFC 3161, "Time-Stamp Protocol".
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from contrechamp.audit import verifier

PROV: Final = "prov.json"
SCENARIO: Final = "scenario.resolved.toml"
SOURCE: Final = "https://github.com/contrechamp/contrechamp"
BUILD_TYPE: Final = f"{SOURCE}/blob/main/docs/preuves.md#audit-v1"
#: Deviations that need no permission to run (see :func:`contrechamp.audit.steps.begin`).
_FREE: Final = ("/seed", "/scenario")


def chain(body: Mapping[str, Any]) -> tuple[bytes, str, int]:
    """Chain the records of ``results.json``: each link is the hash of the one before and of a record.

    Returns
    -------
    lines : bytes
        One per record: link, SHA-256 of the record, kind, id.
    head : str
        The last link, which the signed manifest carries.
    count : int
    """
    lines, last = [], verifier.FIRST_LINK
    found = verifier.records(body)
    for kind, name, digest in found:
        last = verifier.link(last, kind, name, digest)
        lines.append(f"{last} {digest} {kind} {name}\n")
    return "".join(lines).encode(), last, len(found)


def command(request: Mapping[str, Any], *, every_claim: Sequence[str], deviations: Sequence[Mapping[str, Any]]) -> str:
    """Command that makes this run again from its folder: same request, same numbers.

    Parameters
    ----------
    request : mapping
        Of ``results.json``.
    every_claim : sequence of str
        Claims of the register: when the request has them all, none is named.
    deviations : sequence of mapping
        From the plan they were run under.

    Examples
    --------
    >>> command({"profile": "quick", "seed": 7, "claims": ["C12"]}, every_claim=["C12", "M01"], deviations=[])
    'contrechamp audit --profile quick --seed 7 --scenario scenario.resolved.toml --claim C12'
    """
    words = ["contrechamp", "audit", "--profile", request.get("profile"), "--seed", request.get("seed")]
    words += ["--scenario", SCENARIO]
    claims = list(request.get("claims") or ())
    if set(claims) != set(every_claim):
        words += [word for claim in claims for word in ("--claim", claim)]
    if any(moved["path"] not in _FREE for moved in deviations):
        words.append("--allow-deviation")
    return shlex.join(str(word) for word in words)


def statement(
    held: Mapping[str, Mapping[str, Any]], *, subjects: Mapping[str, str], command: str, builder: str
) -> dict[str, Any]:
    """In-toto statement of a run.

    Parameters
    ----------
    held : mapping
        ``results.json`` and ``run.json``, parsed.
    subjects : mapping of str to str
        SHA-256 of the files spoken of, by name.
    command : str
        See :func:`command`.
    builder : str
        Fingerprint of the key that signs: who answers for the run.
    """
    facts = verifier.statement_facts(held)
    outer = ("profile", "seed", "scenario_sha256")
    environment = held[verifier.RECORD].get("environment") or {}
    code: dict[str, Any] = {"uri": f"git+{SOURCE}", "annotations": {"dirty": facts["dirty"]}}
    if facts["commit"]:
        code["digest"] = {"gitCommit": facts["commit"]}
    needs = [code]
    if facts["lock_sha256"]:
        needs.append({"name": "constraints.txt", "digest": {"sha256": facts["lock_sha256"]}})
    return {
        "_type": verifier.STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": sha}} for name, sha in sorted(subjects.items())],
        "predicateType": verifier.PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"command": command, **{key: facts[key] for key in outer}},
                "internalParameters": {key: value for key, value in facts.items() if key not in outer},
                "resolvedDependencies": needs,
            },
            "runDetails": {
                "builder": {
                    "id": f"urn:contrechamp:key:{builder}",
                    "version": {key: str(environment[key]) for key in ("contrechamp", "python") if key in environment},
                },
                "metadata": {"invocationId": facts["run_id"], "startedOn": held[verifier.RECORD].get("started_at")},
            },
        },
    }


def envelope(body: Mapping[str, Any], *, sign: Callable[[bytes], bytes], keyid: str) -> bytes:
    """DSSE envelope of a statement; ``sign`` takes the bytes to sign and returns an ed25519 signature."""
    payload = verifier.canonical(body)
    mark = sign(verifier.pre_authentication(payload))
    return verifier.pretty(
        {
            "payloadType": verifier.PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": keyid, "sig": base64.b64encode(mark).decode()}],
        }
    )


def prov(body: Mapping[str, Any]) -> dict[str, Any]:
    """PROV-JSON of the run that a statement speaks of: what it used, what it made, who answers for it."""
    predicate = body["predicate"]
    definition, details = predicate["buildDefinition"], predicate["runDetails"]
    outer, inner = definition["externalParameters"], definition["internalParameters"]
    made = {f"run:{s['name']}": {"contrechamp:sha256": s["digest"]["sha256"]} for s in body["subject"]}
    given = {name for name in made if name.removeprefix("run:") in (SCENARIO, "plan.json")}
    for need in definition["resolvedDependencies"]:
        name = "contrechamp:source" if "uri" in need else f"contrechamp:{need['name']}"
        made[name] = {f"contrechamp:{kind}": value for kind, value in need.get("digest", {}).items()}
        given.add(name)
    audit = {"contrechamp:command": outer["command"], "contrechamp:runId": str(inner["run_id"])}
    if details["metadata"]["startedOn"]:
        audit["prov:startTime"] = details["metadata"]["startedOn"]
    keeper, activity = details["builder"]["id"].replace("urn:contrechamp:", "contrechamp:", 1), "contrechamp:audit"
    keeper = keeper.replace(":key:", ":key-")
    return {
        "prefix": {"contrechamp": f"{SOURCE}#", "run": "urn:contrechamp:run:"},
        "entity": dict(sorted(made.items())),
        "activity": {activity: audit},
        "agent": {keeper: {"prov:type": {"$": "prov:Agent", "type": "prov:QUALIFIED_NAME"}}},
        "used": {f"_:u{i}": {"prov:activity": activity, "prov:entity": e} for i, e in enumerate(sorted(given))},
        "wasGeneratedBy": {
            f"_:g{i}": {"prov:entity": e, "prov:activity": activity} for i, e in enumerate(sorted(set(made) - given))
        },
        "wasAssociatedWith": {"_:a0": {"prov:activity": activity, "prov:agent": keeper}},
        "wasAttributedTo": {
            f"_:t{i}": {"prov:entity": e, "prov:agent": keeper} for i, e in enumerate(sorted(set(made) - given))
        },
    }
