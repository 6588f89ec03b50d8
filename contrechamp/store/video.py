"""Video files: H.264 written so that the same frames give the same bytes, and read so that no frame is lost in silence.

Frames are decoded here, one after the other, rather than by a detector's own loader: loaders made for live streams drop
frames when they are late and hand black ones over when a stream is lost. The clock is the video's own; a file whose
timestamps, size or number of frames are not those its sidecar states is refused.

What it cannot tell you: whether a file was changed by someone who wrote frames of the same size at the same times. The
digests of the sidecar (:mod:`contrechamp.store.clips`) say that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from contrechamp.domain.errors import ContractError, ParameterError, bad_parameter
from contrechamp.domain.video import ClipMeta, Image
from contrechamp.store.files import sha256_file

#: Fixed, since another preset gives other bytes.
PRESET: Final = "veryfast"
#: Seconds between two frames that can be decoded alone.
_KEY_EVERY_S: Final = 2.0
_MAKE_AGAIN: Final = "Render it again, or copy it again from where it was made."
_NO_CLOCK: Final = (
    "video time is the clock of every rule, so it cannot be watched. Put its frames in an mp4 with their rate."
)


def write_mp4(path: Path, frames: Iterable[Image], *, fps: float, crf: int = 23) -> str:
    """Encode frames as H.264 in an mp4, whole or not at all.

    One thread, one preset, no date: the same frames give the same file on the same installation.

    Parameters
    ----------
    path : Path
        Replaced if it exists.
    frames : iterable of ndarray of shape (height, width, 3), uint8, RGB
        Even height and width, the same for all; at least one.
    fps : float
        Frames a second of video.
    crf : int, default=23
        0 (no loss beyond the halved colour) to 51.

    Returns
    -------
    sha256 : str

    Raises
    ------
    ParameterError
        If a frame has another shape than the first, an odd size, or if there is none.
    """
    import av

    if not (np.isfinite(fps) and fps > 0):
        raise bad_parameter(name="fps", where="write_mp4", must="a frame rate in (0, inf)", got=fps)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    rate = Fraction(fps).limit_denominator(1001)
    shape: tuple[int, ...] | None = None
    try:
        with av.open(
            partial, "w", format="mp4", options={"fflags": "+bitexact", "movflags": "+faststart"}
        ) as container:
            stream: Any = container.add_stream("libx264", rate=rate)
            for i, image in enumerate(frames):
                if shape is None:
                    shape = _open_encoder(stream, image, rate=rate, crf=crf)
                if image.shape != shape or image.dtype != np.uint8:
                    raise ParameterError(
                        f"Every frame of a clip must be uint8 of shape {shape}. Frame {i} is {image.dtype} of shape "
                        f"{image.shape}."
                    )
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                picture.pts, picture.time_base = i, 1 / rate
                container.mux(stream.encode(picture))
            if shape is None:
                raise ParameterError("A clip needs at least one frame. Got none.")
            container.mux(stream.encode(None))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return sha256_file(path)


def _open_encoder(stream: Any, image: Image, *, rate: Fraction, crf: int) -> tuple[int, ...]:
    if image.ndim != 3 or image.shape[2] != 3 or image.shape[0] % 2 or image.shape[1] % 2:
        raise ParameterError(
            f"A frame must be height × width × 3, height and width even. Got {image.shape}. Pad it by one pixel."
        )
    stream.height, stream.width = image.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.time_base = 1 / rate
    stream.codec_context.thread_count = 1
    stream.options = {
        "preset": PRESET, "crf": str(crf), "threads": "1", "bf": "0", "g": str(max(1, round(_KEY_EVERY_S * rate))),
    }  # fmt: skip
    return image.shape


def read_frames(path: Path, *, expect: ClipMeta | None = None) -> Iterator[tuple[int, float, Image]]:
    """Decode every frame of a video file, in order.

    Parameters
    ----------
    path : Path
    expect : ClipMeta, optional
        What the sidecar says of it: size, frame rate, number of frames. The times given back are then
        ``index / fps`` exactly, once each has been found within half a frame of the file's own.

    Yields
    ------
    index : int
        From 0.
    t_s : float
        Seconds of video since the first frame.
    image : ndarray of shape (height, width, 3), uint8, RGB

    Raises
    ------
    ContractError
        If the file is missing, empty, no video, cut short or damaged; has no frame rate or no timestamps; changes size;
        or is not what ``expect`` says. Raised at the frame where it shows, those before it having been given.
    """
    import av

    _check_file(path)
    try:
        container = av.open(path, "r")
    except av.FFmpegError as cause:
        raise ContractError(
            f"{path} cannot be opened as a video: {_why(cause)}. It may be cut short, or be something else under that "
            f"name. {_MAKE_AGAIN}"
        ) from cause
    with container:
        if not container.streams.video:
            raise ContractError(f"{path} holds no video stream. Give the clip.mp4 of a rendered clip.")
        stream = container.streams.video[0]
        if not stream.average_rate:
            raise ContractError(f"{path} has no frame rate (0 frames a second): {_NO_CLOCK}")
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"err_detect": "explode"}  # what is damaged is said, never painted over
        n, first_s = 0, 0.0
        size = None if expect is None else (expect.camera.width_px, expect.camera.height_px)
        last_s = -np.inf
        try:
            for picture in container.decode(stream):
                if picture.pts is None or picture.time_base is None:
                    raise ContractError(f"{path} has no timestamps (frame {n}): {_NO_CLOCK}")
                if picture.is_corrupt:
                    raise ContractError(f"Frame {n} of {path} is damaged. {_MAKE_AGAIN}")
                size = size or (picture.width, picture.height)
                if (picture.width, picture.height) != size:
                    raise _other_size(path, n, (picture.width, picture.height), size, stated=expect is not None)
                at_s = float(picture.pts * picture.time_base)
                first_s = at_s if n == 0 else first_s
                if at_s <= last_s:
                    raise ContractError(
                        f"The clock of {path} stands still or goes back at frame {n} ({last_s:g} s, then {at_s:g} s), "
                        f"as at 0 frames a second: {_NO_CLOCK}"
                    )
                last_s = at_s
                image: Any = picture.to_ndarray(format="rgb24")
                yield n, _clock(path, n, at_s - first_s, expect), image
                n += 1
        except av.FFmpegError as cause:
            raise ContractError(
                f"{path} is damaged after {_of_frames(n, expect)}: {_why(cause)}. {_MAKE_AGAIN}"
            ) from cause
    if n == 0 or (expect is not None and n < expect.n_frames):
        raise ContractError(f"{path} ends after {_of_frames(n, expect)}: it is cut short. {_MAKE_AGAIN}")


def check_video(path: Path, *, expect: ClipMeta | None = None) -> int:
    """Decode a file to its end and return its number of frames; raise as :func:`read_frames` does."""
    return sum(1 for _ in read_frames(path, expect=expect))


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ContractError(f"{path} is missing or is not a file. Give the clip.mp4 of a rendered clip.")
    if path.stat().st_size == 0:
        raise ContractError(f"{path} is empty (0 bytes). {_MAKE_AGAIN}")


def _clock(path: Path, n: int, t_s: float, expect: ClipMeta | None) -> float:
    if expect is None:
        return t_s
    if n >= expect.n_frames:
        raise ContractError(
            f"{path} holds more frames than the {expect.n_frames} its sidecar says. One of the two belongs to another "
            "clip."
        )
    if abs(t_s * expect.fps - n) >= 0.5:
        raise ContractError(
            f"Frame {n} of {path} is at {t_s:g} s, and should be at {n / expect.fps:g} s, at the {expect.fps:g} frames "
            f"a second of its sidecar: a frame was dropped or repeated, or the rate is another. {_MAKE_AGAIN}"
        )
    return n / expect.fps


def _other_size(path: Path, n: int, got: tuple[int, int], size: tuple[int, int], *, stated: bool) -> ContractError:
    shown, before = f"{got[0]} × {got[1]}", f"{size[0]} × {size[1]}"
    if n == 0 and stated:
        return ContractError(
            f"{path} shows {shown} pixels, and the camera of its sidecar {before}. One of the two belongs to another "
            "clip."
        )
    return ContractError(
        f"{path} changes size at frame {n}: {before} pixels, then {shown}. Zones are drawn on one size: cut it there "
        "and give two clips."
    )


def _of_frames(n: int, expect: ClipMeta | None) -> str:
    return f"{n} frames" if expect is None else f"{n} of {expect.n_frames} frames"


def _why(cause: Any) -> str:
    return str(cause.strerror or cause).strip().rstrip(".")
