"""Video files: same frames, same bytes; every fault is told in one paragraph, none becomes a black frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.video import Camera, ClipMeta, Image
from contrechamp.store.video import check_video, read_frames, write_mp4

FPS, N, SIZE = 12.5, 20, (96, 128)


def drawn(n: int = N, size: tuple[int, int] = SIZE) -> Iterator[Image]:
    """A red square that steps to the right over a slope of grey."""
    height, width = size
    grey = (np.indices((height, width)).sum(axis=0) % 255).astype(np.uint8)
    for i in range(n):
        image = np.repeat(grey[:, :, None], 3, axis=2)
        image[10:40, 5 + i : 25 + i] = (200, 30, 60)
        yield image


def meta(*, n: int = N, fps: float = FPS, width: int = SIZE[1], height: int = SIZE[0]) -> ClipMeta:
    return ClipMeta("c", fps, n, Camera(width, height, 100.0, 5.0, 20.0))


@pytest.fixture(scope="module")
def mp4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    write_mp4(path, drawn(), fps=FPS)
    return path


def packets(n: int, size: tuple[int, int], first: int) -> list[Any]:
    """H.264 packets of a stream of their own, ten frames a second from frame ``first`` on."""
    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.options = Fraction(1, 10), Fraction(10), {"bf": "0"}
    out: list[Any] = []
    for i, image in enumerate(drawn(n, size)):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = first + i, Fraction(1, 10)
        out += encoder.encode(frame)
    return out + list(encoder.encode(None))


def test_the_same_frames_give_the_same_bytes_and_come_back_on_the_clock(mp4: Path, tmp_path: Path) -> None:
    import hashlib

    digest = write_mp4(tmp_path / "again.mp4", drawn(), fps=FPS)
    assert (tmp_path / "again.mp4").read_bytes() == mp4.read_bytes()
    assert digest == hashlib.sha256(mp4.read_bytes()).hexdigest()
    assert not list(tmp_path.glob("*.partial"))
    back = list(read_frames(mp4, expect=meta()))
    assert [i for i, _, _ in back] == list(range(N))
    assert [t for _, t, _ in back] == [i / FPS for i in range(N)]
    for (_, _, image), made in zip(back, drawn(), strict=True):
        assert image.dtype == np.uint8
        assert np.abs(image.astype(int) - made).mean() < 2.0  # compression, not another picture
    assert b"creation_time" not in mp4.read_bytes()


@pytest.mark.parametrize("fps", [5.0, 10.0, 12.5, 25.0, 30000 / 1001])
def test_any_rate_keeps_its_clock(tmp_path: Path, fps: float) -> None:
    write_mp4(tmp_path / "c.mp4", drawn(7), fps=fps)
    times = [t for _, t, _ in read_frames(tmp_path / "c.mp4")]
    assert times == pytest.approx([i / fps for i in range(7)], abs=1e-4)
    assert check_video(tmp_path / "c.mp4", expect=meta(n=7, fps=fps)) == 7


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    write_mp4(tmp_path / "c.mp4", drawn(1), fps=10)
    assert check_video(tmp_path / "c.mp4", expect=meta(n=1, fps=10)) == 1


def refused(path: Path, expect: ClipMeta | None = None) -> str:
    with pytest.raises(ContractError) as error:
        check_video(path, expect=expect)
    assert error.value.exit_code == 11
    said = str(error.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.7, 0.9, 0.97])
def test_a_truncated_file_is_refused_wherever_it_is_cut(mp4: Path, tmp_path: Path, share: float) -> None:
    data = mp4.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: int(share * len(data))])
    said = refused(path, meta())
    assert any(word in said for word in ("cut short", "damaged", "no video stream"))


def test_empty_missing_and_something_else(tmp_path: Path) -> None:
    assert "missing" in refused(tmp_path / "none.mp4")
    path = tmp_path / "x.mp4"
    path.write_bytes(b"")
    assert "0 bytes" in refused(path)
    path.write_bytes(b"not a video at all " * 50)
    assert "cannot be opened as a video" in refused(path)
    with av.open(path, "w", format="mp4") as container:
        stream: Any = container.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    assert "no video stream" in refused(path)


def test_no_timestamps(tmp_path: Path) -> None:
    path = tmp_path / "raw.mp4"
    path.write_bytes(b"".join(bytes(p) for p in packets(10, SIZE, 0)))
    assert "no timestamps" in refused(path)


def test_zero_frames_a_second(mp4: Path, tmp_path: Path) -> None:
    data = bytearray(mp4.read_bytes())
    at = data.index(b"stts")
    assert struct.unpack(">II", data[at + 8 : at + 16]) == (1, N)  # one run of N frames of equal length
    data[at + 16 : at + 20] = struct.pack(">I", 0)
    path = tmp_path / "still.mp4"
    path.write_bytes(data)
    assert "0 frames a second" in refused(path, meta())


def test_changing_resolution(tmp_path: Path) -> None:
    path = tmp_path / "size.ts"
    with av.open(path, "w", format="mpegts") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for packet in packets(5, SIZE, 0) + packets(5, (64, 64), 5):
            packet.stream = stream
            container.mux(packet)
    assert "changes size at frame 5: 128 × 96 pixels, then 64 × 64" in refused(path)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (meta(n=N + 5), f"ends after {N} of {N + 5} frames"),
        (meta(n=N - 5), f"more frames than the {N - 5}"),
        (meta(fps=25.0), "the rate is another"),
        (meta(width=640, height=360), "shows 128 × 96 pixels, and the camera of its sidecar 640 × 360"),
    ],
)
def test_a_sidecar_that_says_otherwise(mp4: Path, stated: ClipMeta, said: str) -> None:
    assert said in refused(mp4, stated)


def test_dropped_frames_are_seen_on_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "drop.mp4"
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt, stream.time_base = *SIZE, "yuv420p", Fraction(1, 10)
        for i, image in enumerate(drawn()):
            if i not in (7, 8):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = i, Fraction(1, 10)
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    said = refused(path, meta(n=N - 2, fps=10.0))
    assert said.startswith(f"Frame 7 of {path} is at 0.9 s, and should be at 0.7 s")


def test_frames_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.mp4"
    for frames, said in (
        ([], "at least one frame"),
        ([np.zeros((95, 128, 3), np.uint8)], "even"),
        ([np.zeros((96, 128, 3), np.uint8), np.zeros((64, 64, 3), np.uint8)], "Frame 1"),
    ):
        with pytest.raises(ParameterError, match=said):
            write_mp4(path, frames, fps=10)
    with pytest.raises(ParameterError, match="frame rate"):
        write_mp4(path, drawn(), fps=0)
    assert list(tmp_path.iterdir()) == []
