"""The layouts of the city's twenty-five data streams: fields, units, vocabularies, identity, file format.

What a stream's files look like is public: the generators write to it, the contracts hold rows to it, the lake's tables
are derived from it. It is said once, here. Numbers D01–D25 are those of the register of claims.

What it cannot tell you: whether the real platform had these fields. The tender names most streams in a few words; the
fields are our reading of them, and the register says for each stream what is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from contrechamp.domain import columns as c
from contrechamp.domain.text import Text

Kind = Literal["text", "time", "number", "integer", "flag"]
Format = Literal["jsonl", "csv", "geojson", "parquet"]
#: What of a person a field shows, and so how it is normalised before a pseudonym is made of it.
Person = Literal["name", "phone", "plate", "handle", "user"]
#: How often a file of the stream is dropped. ``once``: the whole run in one file.
Period = Literal["day", "week", "month", "year", "once"]
Family = Literal["police", "emergency", "city", "mobility", "sensors", "words", "files"]

FAMILIES: Final[Mapping[Family, Text]] = {
    "police": Text(fr="police municipale et justice", en="municipal police and justice"),
    "emergency": Text(fr="secours et santé", en="rescue and health"),
    "city": Text(fr="vie de la ville", en="life of the city"),
    "mobility": Text(fr="déplacements et présence", en="movement and presence"),
    "sensors": Text(fr="caméras et capteurs", en="cameras and sensors"),
    "words": Text(fr="paroles d’habitants", en="words of residents"),
    "files": Text(fr="fichiers nationaux", en="national files"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a raw row.

    Attributes
    ----------
    raw : str
        Its name in the dropped file.
    name : str
        Its name from then on.
    kind : {"text", "time", "number", "integer", "flag"}
        A time is ISO 8601 with an offset in text formats and ``timestamp[us, UTC]`` in parquet; a flag is
        ``true``/``false``.
    required : bool
        A required field is neither absent, null nor blank.
    allowed : tuple of str
        The whole vocabulary; empty when free.
    outside : str
        Reason given to a value outside the vocabulary.
    low, high : float
        Closed range of a number, in ``unit``.
    unit : str
        Unit of a number; "" when it has none.
    person : str, optional
        What of a person it shows. Such a field never enters a record table: see :class:`Pseudonym`.
    free : bool
        Free text: the persons that the row names are taken out of it.
    """

    raw: str
    name: str
    kind: Kind = "text"
    required: bool = True
    allowed: tuple[str, ...] = ()
    outside: str = "unknown_type"
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    person: Person | None = None
    free: bool = False


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """What stands in the table for a person of the row.

    Attributes
    ----------
    column : str
        Column of the table.
    prefix : str
        Kind of identity, part of what is hashed. Streams that use one prefix on the same parts can be joined.
    parts : tuple of str
        Names (:attr:`Field.name`) of the fields that identify the person together.
    """

    column: str
    prefix: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class StreamLayout:
    """A stream as it is dropped and as it is kept.

    Attributes
    ----------
    key : str
        Folder of the landing area, table of the lake. Never changes meaning.
    id : str
        Number in the register, ``"D01"``.
    title : Text
    family : str
    format : {"jsonl", "csv", "geojson", "parquet"}
        CSV is UTF-8, separated by ``;``, with a header. GeoJSON is one FeatureCollection of points, whose properties
        are the fields.
    fields : tuple of Field
        In file order. ``lon`` and ``lat`` (degrees) stand for the point; in GeoJSON they are its geometry.
    identity : tuple of str
        Raw names of the fields that tell a row from every other.
    period, prefix : str
        How often a file is dropped, and how its name begins.
    pseudonyms : tuple of Pseudonym
    order : (str, str), optional
        Names of two times that follow each other.
    since : str, optional
        First date let in, where it is earlier than usual.
    """

    key: str
    id: str
    title: Text
    family: Family
    format: Format
    fields: tuple[Field, ...]
    identity: tuple[str, ...]
    period: Period
    prefix: str
    pseudonyms: tuple[Pseudonym, ...] = ()
    order: tuple[str, str] | None = None
    since: str | None = None

    @property
    def raw_names(self) -> tuple[str, ...]:
        """Names of the fields in the dropped file."""
        return tuple(f.raw for f in self.fields)

    @property
    def has_point(self) -> bool:
        """Whether rows are placed by longitude and latitude."""
        return "lon" in self.raw_names

    @property
    def columns(self) -> tuple[tuple[str, Kind], ...]:
        """Columns of the table and their kinds, the trace to the source file left out."""
        out: list[tuple[str, Kind]] = [(c.RECORD_ID, "text")]
        for f in self.fields:
            if f.raw == "lon":
                out += [(c.X_M, "number"), (c.Y_M, "number")]
            elif f.raw != "lat" and f.person is None and f.name != c.RECORD_ID:
                out.append((f.name, f.kind))
        return (*out, *((p.column, "text") for p in self.pseudonyms))


def _t(raw: str = "t", name: str = c.T_EVENT, *, required: bool = True) -> Field:
    return Field(raw, name, "time", required=required)


def _words(raw: str, *allowed: str, name: str = "", required: bool = True, outside: str = "unknown_type") -> Field:
    return Field(raw, name or raw, allowed=allowed, required=required, outside=outside)


def _number(raw: str, low: float, high: float, unit: str = "", *, required: bool = True) -> Field:
    return Field(raw, raw, "number", low=low, high=high, unit=unit, required=required)


def _count(raw: str, high: float = 1e9, unit: str = "", *, low: float = 0, required: bool = True) -> Field:
    return Field(raw, raw, "integer", low=low, high=high, unit=unit, required=required)


_ID: Final = Field("id", c.RECORD_ID)
_POINT: Final = (Field("lon", "lon", "number", unit="°"), Field("lat", "lat", "number", unit="°"))
_POINT_IF_KNOWN: Final = (
    Field("lon", "lon", "number", required=False, unit="°"),
    Field("lat", "lat", "number", required=False, unit="°"),
)
_TEXT: Final = Field("text", c.TEXT, required=False, free=True)
_PLATE: Final = Field("plate", "plate", person="plate")
_OF_PLATE: Final = (Pseudonym(c.PLATE, "plt", ("plate",)),)
_USER: Final = Field("user", "user", person="user")
_OF_USER: Final = (Pseudonym("user_pseudonym", "usr", ("user",)),)


def _who(role: str) -> tuple[Field, Field]:
    """Name and telephone of a person of the row."""
    return (
        Field(f"{role}_name", f"{role}_name", required=False, person="name"),
        Field(f"{role}_phone", f"{role}_phone", required=False, person="phone"),
    )


def _of(role: str, column: str) -> tuple[Pseudonym]:
    return (Pseudonym(column, "inf", (f"{role}_name", f"{role}_phone")),)


#: Nature of a fire-and-rescue intervention: about 80 % is aid to persons.
RESCUE_NATURES: Final = (
    "malaise", "chute", "detresse_respiratoire", "douleur_thoracique", "intoxication", "ivresse", "traumatisme",
    "accouchement", "crise_psychique", "relevage", "accident_route", "secours_mer", "noyade", "feu_habitation",
    "feu_vehicule", "feu_poubelle", "feu_vegetation", "degagement_gaz", "inondation", "fausse_alerte",
)  # fmt: skip

#: Subjects a resident brings up in the application and on the telephone.
CITIZEN_CATEGORIES: Final = (
    "proprete", "eclairage", "voirie", "stationnement", "bruit", "espaces_verts", "tags", "incivilite",
    "danger", "autre",
)  # fmt: skip

#: What the counting of images tells apart, and what makes it raise an alert.
VIDEO_CLASSES: Final = ("person", "vehicle", "two_wheeler", "bicycle", "animal")
VIDEO_ALERTS: Final = ("maraudage", "attroupement", "objet_abandonne", "intrusion", "contresens", "chute")

#: Classes of the sound sensors.
SOUND_CLASSES: Final = (
    "ambient", "voice", "music", "vehicle", "two_wheeler", "horn", "siren", "glass", "bang", "aerosol",
)  # fmt: skip

_LAYOUTS: Final = (
    StreamLayout(
        "mains_courantes", "D01", Text(fr="main courante de la police municipale", en="municipal police log"),
        "police", "jsonl",
        (
            _ID, _t("t_event"), _t("t_entry", c.T_ENTRY), *_POINT, _words("type", *c.INCIDENT_TYPES),
            _words("origin", "call", "officer", "camera", outside="unknown_origin"), Field("unit", c.UNIT), _TEXT,
            *_who("informant"),
        ),
        ("id",), "week", "mc", _of("informant", c.INFORMANT), order=(c.T_EVENT, c.T_ENTRY),
    ),
    StreamLayout(
        "verbalisations", "D02", Text(fr="verbalisations", en="fines"), "police", "csv",
        (
            _ID, _t(), *_POINT, Field("code", c.CODE),
            _words("mode", "agent", "camera", name=c.ORIGIN, outside="unknown_origin"),
            Field("vehicle_class", c.VEHICLE_CLASS), _PLATE,
        ),
        ("id",), "week", "verb", _OF_PLATE,
    ),
    StreamLayout(
        "enlevements", "D03", Text(fr="mises en fourrière", en="vehicle removals"), "police", "csv",
        (
            _ID, _t(), *_POINT,
            _words("reason", "genant", "tres_genant", "dangereux", "abusif", "marche", "evenement", name="motive"),
            Field("zone", "zone"), _PLATE,
        ),
        ("id",), "week", "fou", _OF_PLATE,
    ),
    StreamLayout(
        "video_metadata", "D04", Text(fr="métadonnées vidéo (sans image)", en="video metadata (no image)"),
        "sensors", "parquet",
        (
            Field("camera", "camera"), _t(), _words("object_class", *VIDEO_CLASSES), _count("count", 1e5),
            _words("alert_type", *VIDEO_ALERTS, required=False), _number("score", 0, 1, required=False),
        ),
        ("camera", "t", "object_class", "alert_type"), "day", "video",
    ),
    StreamLayout(
        "presence_telecom", "D05", Text(fr="présence d’après la téléphonie mobile", en="presence from mobile phones"),
        "mobility", "parquet",
        (Field("zone", "zone"), _t(), _count("count", 1e7, "persons"), _number("share_visitors", 0, 1)),
        ("zone", "t"), "day", "tel",
    ),
    StreamLayout(
        "reseaux_sociaux", "D06", Text(fr="messages publics des réseaux sociaux", en="public social posts"),
        "words", "jsonl",
        (
            Field("post_id", c.RECORD_ID), _t(), Field("author", "author", person="handle"), _TEXT,
            Field("reply_to", "reply_to", required=False), Field("place_name", "place_name", required=False),
            *_POINT_IF_KNOWN, Field("visible", "visible", "flag"),
        ),
        ("post_id",), "day", "posts", (Pseudonym("author_pseudonym", "hdl", ("author",)),),
    ),
    StreamLayout(
        "urgences", "D07", Text(fr="passages aux urgences (comptages)", en="emergency visits (counts)"),
        "emergency", "csv",
        (
            Field("hospital", "hospital"), _t(), _words("age_band", "0-14", "15-29", "30-59", "60+"),
            _words("cause_class", "violence", "accident", "ivresse", "malaise", "respiratoire", "chaleur", "autre"),
            _count("n", 1e4, "visits", low=1),
        ),
        ("hospital", "t", "age_band", "cause_class"), "week", "urg",
    ),
    StreamLayout(
        "pompiers", "D08", Text(fr="interventions des marins-pompiers", en="fire and rescue interventions"),
        "emergency", "jsonl",
        (
            _ID, _t("t_call"), _t("t_arrive", "t_arrive", required=False), *_POINT,
            _words("nature", *RESCUE_NATURES), *_who("caller"),
        ),
        ("id",), "week", "bmpm", _of("caller", "caller_pseudonym"), order=(c.T_EVENT, "t_arrive"),
    ),
    StreamLayout(
        "transport", "D09", Text(fr="validations des transports publics", en="public transport validations"),
        "mobility", "parquet",
        (
            Field("line", "line"), Field("stop", "stop"), _t(), _count("boardings", 1e6, "persons"),
            _count("incidents", 1e4),
        ),
        ("line", "stop", "t"), "day", "val",
    ),
    StreamLayout(
        "trafic", "D10", Text(fr="capteurs de trafic routier", en="road traffic sensors"), "mobility", "parquet",
        (
            Field("sensor", "sensor"), _t(), _number("flow_veh_h", 0, 2e4, "vehicles/h"),
            _number("speed_km_h", 0, 200, "km/h", required=False), Field("closure", "closure", "flag"),
        ),
        ("sensor", "t"), "day", "trafic",
    ),
    StreamLayout(
        "meteo", "D11", Text(fr="météo, une station", en="weather, one station"), "city", "csv",
        (
            Field("station", "station"), _t(), _number("temp_c", -40, 55, "°C"), _number("rain_mm", 0, 300, "mm/h"),
            _number("wind_m_s", 0, 80, "m/s"),
        ),
        ("station", "t"), "week", "meteo",
    ),
    StreamLayout(
        "donnees_ouvertes", "D12", Text(fr="données ouvertes : lieux", en="open data: places"), "city", "geojson",
        (
            _ID, _t("updated"), *_POINT,
            _words(
                "layer", "school", "station", "market", "stadium", "hospital", "park", "police_station",
                "fire_station", "town_hall",
            ),
            Field("name", "name"), _count("capacity", 1e6, "persons", required=False),
        ),
        ("id", "updated"), "once", "lieux",
    ),
    StreamLayout(
        "statistiques_police", "D13", Text(fr="statistiques de police et de justice", en="police and court statistics"),
        "police", "csv",
        (
            Field("offence_class", "offence_class"), _t("month"), Field("sector", "sector"),
            _count("recorded", 1e7, "offences"), _count("cleared", 1e7, "offences"),
        ),
        ("offence_class", "month", "sector"), "month", "stat",
    ),
    StreamLayout(
        "signalements", "D14", Text(fr="signalements de l’application citoyenne", en="reports of the citizens' app"),
        "words", "jsonl",
        (
            _ID, _t(), *_POINT, _words("category", *CITIZEN_CATEGORIES), _TEXT, Field("media", "media", "flag"),
            _USER, _number("reliability", 0, 1),
        ),
        ("id",), "week", "sig", _OF_USER,
    ),
    StreamLayout(
        "capteurs_vitesse", "D15", Text(fr="vitesse de déplacement d’usagers", en="speed of movement of app users"),
        "mobility", "parquet", (_USER, _t(), *_POINT, _number("speed_m_s", 0, 70, "m/s")),
        ("user", "t"), "day", "vit", _OF_USER,
    ),
    StreamLayout(
        "capteurs_stress", "D16", Text(fr="niveau de stress d’usagers", en="stress level of app users"),
        "sensors", "parquet",
        (_USER, _t(), _number("heart_rate_bpm", 20, 250, "1/min"), _number("stress_score", 0, 1)),
        ("user", "t"), "day", "stress", _OF_USER,
    ),
    StreamLayout(
        "capteurs_sonores", "D17", Text(fr="capteurs sonores", en="sound sensors"), "sensors", "parquet",
        (
            Field("sensor", "sensor"), _t(), _number("level_db", 0, 160, "dB(A)"), _words("class", *SOUND_CLASSES),
            _number("score", 0, 1), Field("speech", "speech", "flag"),
        ),
        ("sensor", "t"), "day", "son",
    ),
    StreamLayout(
        "parcs", "D18", Text(fr="rapports des agents des parcs et jardins", en="reports of park keepers"),
        "city", "jsonl",
        (
            _ID, _t(), Field("park", "park"),
            _words("type", "degradation", "bruit", "chien", "depot_sauvage", "attroupement", "camping", "autre"), _TEXT,
        ),
        ("id",), "week", "parc",
    ),
    StreamLayout(
        "evenements", "D19",
        Text(fr="événements, marchés, tournages, travaux, arrêtés", en="events, markets, shoots, works, orders"),
        "city", "geojson",
        (
            _ID, _t("t_start"), _t("t_end", "t_end"), *_POINT, Field("type", c.TYPE),
            _count("expected_crowd", 1e7, "persons"), Field("authorised", "authorised", "flag"), *_who("organiser"),
        ),
        ("id",), "week", "evt", _of("organiser", "organiser_pseudonym"), order=(c.T_EVENT, "t_end"),
    ),
    StreamLayout(
        "ordres_mission", "D20", Text(fr="ordres de mission et effectifs", en="patrol orders and staffing"),
        "police", "csv",
        (
            _ID, Field("unit", c.UNIT), _t("t_start"), _t("t_end", "t_end"), Field("zone", "zone"),
            _words("mission", "patrouille", "ilotage", "stationnement", "evenement", "marche", "video"),
            _count("n_officers", 500, "persons", low=1),
        ),
        ("id",), "week", "ordre", order=(c.T_EVENT, "t_end"),
    ),
    StreamLayout(
        "allo_mairie", "D21", Text(fr="appels à Allô Mairie", en="calls to the town hall"), "city", "csv",
        (
            _ID, _t(), *_POINT, _words("category", *CITIZEN_CATEGORIES), *_who("caller"),
            _number("delay_to_fix_h", 0, 1e5, "h", required=False),
        ),
        ("id",), "week", "allo", _of("caller", "caller_pseudonym"),
    ),
    StreamLayout(
        "eclairage", "D22", Text(fr="éclairage public", en="street lighting"), "city", "geojson",
        (
            Field("lamp", "lamp"), _t(), *_POINT, _words("state", "on", "dim", "off"),
            _number("lux", 0, 500, "lx"),
        ),
        ("lamp", "t"), "month", "lampe",
    ),
    StreamLayout(
        "drones", "D23", Text(fr="vols de drones", en="drone flights"), "police", "csv",
        (
            Field("flight", c.RECORD_ID), _t(), Field("zone", "zone"), _number("minutes", 0, 600, "min"),
            _words("cause", "alerte", "evenement", "demande"),
        ),
        ("flight",), "month", "vol",
    ),
    StreamLayout(
        "stock_infractions", "D24", Text(fr="stock d’infractions depuis 1998", en="stock of offences since 1998"),
        "police", "parquet",
        (
            _ID, _t(), *_POINT, _words("source", "main_courante", "verbalisation"), Field("type", c.TYPE),
            _words("origin", "call", "officer", "camera", "agent", "unknown", outside="unknown_origin"),
        ),
        ("id",), "year", "stock", since="1998-01-01",
    ),
    StreamLayout(
        "fichiers_biometriques", "D25",
        Text(fr="fichiers biométriques : taille et lois de score seulement", en="biometric files: size and score laws"),
        "files", "jsonl",
        (
            Field("file", "file"), _t("described"), _count("gallery_size", 1e9, "persons", low=1),
            _number("genuine_mean", -10, 10), _number("genuine_sd", 0, 10), _number("impostor_mean", -10, 10),
            _number("impostor_sd", 0, 10),
        ),
        ("file", "described"), "once", "bio",
    ),
)  # fmt: skip

#: Key → layout, in the order of the register.
LAYOUTS: Final[Mapping[str, StreamLayout]] = {layout.key: layout for layout in _LAYOUTS}
