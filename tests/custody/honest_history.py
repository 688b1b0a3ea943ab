"""Random honest histories: outages, rotations, late docking, drift, erasures, revocations."""

from __future__ import annotations

import random

from tests.custody.record_kit import DAY_MS, MINUTE_MS, World
from tidewaiter.custody.witness_times import WitnessTimes, witness_times

REASONS = ("officer", "battery", "storage-full", "docked", "fault", "privacy-pause")


class HonestLife:
    """One administration over some days; every step is something that may honestly happen."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World()
        self.confirmed: list[tuple[int, int]] = []
        self.boots: dict[str, tuple[str, int]] = {}
        self.held: list[str] = []
        self.kept: list[str] = []
        self.running: list[str] = []
        self.gone: set[str] = set()
        self.count = self.random.randint(1, 3)

    def live(self, steps: int) -> None:
        world = self.world
        world.define_class("routine", 90)
        world.define_class("long", 3650)
        world.enrol("dock-1", holder="dock")
        for number in range(self.count):
            world.enrol(f"bwc-{number}", unit="gate-2")
            self.switch_on(f"bwc-{number}")
        world.camera("old-1", "dock-1")
        for _ in range(steps):
            self.random.choice(self.steps())()
            if self.random.random() < 0.3:
                self.confirm()
        for device in list(self.running):
            self.switch_off(device)
        self.confirm()

    def steps(self) -> list:
        return [
            self.shift, self.shift, self.shift, self.outage, self.rotation, self.late_docking,
            self.dock_old_camera, self.erasure, self.hold, self.category, self.enrolment,
            self.clock_set_right, self.restart, self.expected,
        ]  # fmt: skip

    def device(self) -> str:
        return self.random.choice(
            [n for n in self.world.states if n.startswith("bwc") and n not in self.gone]
        )

    def confirm(self) -> None:
        """Witnesses look; their clocks differ from ours by less than is allowed."""
        at = self.world.now_ms + self.random.randint(0, 20_000)
        self.confirmed.append((len(self.world.leaves), at))

    def switch_on(self, device: str) -> None:
        boot = f"boot-{self.random.randrange(10**9)}"
        self.boots[device] = (boot, self.world.now_ms - self.random.randint(0, 5_000))
        self.running.append(device)
        self.heartbeat(device, 0)

    def switch_off(self, device: str, reason: str = "docked") -> None:
        self.running.remove(device)
        self.world.stop(device, reason, after_ms=self.random.randint(0, 50_000))

    def heartbeat(self, device: str, after_ms: int) -> None:
        boot, since = self.boots[device]
        drift = self.random.randint(-40, 40)
        uptime = self.world.now_ms + after_ms - since + drift
        fields = {"uptime_ms": max(0, uptime), "boot": boot, "state": "recording"}
        self.world.tell(device, "heartbeat", fields, after_ms=after_ms)

    def alone(self, device: str) -> None:
        """Others stop before a long step, so that nobody is silent."""
        for other in list(self.running):
            if other != device:
                self.switch_off(other, self.random.choice(REASONS))
        if device not in self.running:
            self.switch_on(device)

    def shift(self) -> None:
        device = self.device()
        self.alone(device)
        for _ in range(self.random.randint(1, 8)):
            self.heartbeat(device, self.random.randint(1_000, MINUTE_MS))
            if self.random.random() < 0.5:
                self.world.segment(device, after_ms=self.random.randint(1_000, MINUTE_MS))
                self.kept.append(f"{device}/{self.world.states[device].seq - 1}")
        self.switch_off(device)

    def outage(self) -> None:
        device = self.device()
        self.alone(device)
        self.switch_off(device, self.random.choice(REASONS))
        self.world.now_ms += self.random.randint(0, DAY_MS)

    def rotation(self) -> None:
        device = self.device()
        self.alone(device)
        self.world.rotate(device)
        self.switch_off(device)

    def late_docking(self) -> None:
        """Records reach the log after those of others, and in another order."""
        device = self.device()
        self.alone(device)
        start = len(self.world.leaves)
        for _ in range(self.random.randint(2, 5)):
            self.heartbeat(device, self.random.randint(1_000, MINUTE_MS))
        late = self.world.leaves[start:]
        self.random.shuffle(late)
        self.world.leaves[start:] = late
        self.switch_off(device)

    def restart(self) -> None:
        device = self.device()
        self.alone(device)
        self.switch_off(device, "fault")
        self.world.now_ms += self.random.randint(0, 10 * MINUTE_MS)
        self.switch_on(device)

    def clock_set_right(self) -> None:
        """A clock that drifted some seconds is set right at the dock, and the offset recorded."""
        device = self.device()
        self.alone(device)
        self.switch_off(device)
        offset = self.random.randint(-30_000, 30_000)
        fields = {"subject": device, "device_ms": self.world.now_ms + offset, "offset_ms": offset}
        self.world.tell("dock-1", "clock", fields)
        self.stop_dock()

    def dock_old_camera(self) -> None:
        number = self.world.states["old-1"].seq
        for file in range(self.random.randint(1, 3)):
            self.world.segment("old-1", level="dock", camera_no=number + file, after_ms=5_000)
        self.kept.append(f"old-1/{number}")
        for device in list(self.running):
            self.switch_off(device)

    def stop_dock(self) -> None:
        self.world.stop("dock-1", "docked", after_ms=100)

    def quiet(self) -> None:
        for device in list(self.running):
            self.switch_off(device)

    def erasure(self) -> None:
        """After the date, or before it with a legal basis: by two people either way."""
        if not self.kept:
            return
        self.quiet()
        recording = self.kept.pop(self.random.randrange(len(self.kept)))
        if self.random.random() < 0.5:
            self.world.now_ms += 91 * DAY_MS
        if recording not in self.held:
            self.world.erase(recording, by=self.random.sample(["amara", "bilal", "chen"], 2))

    def hold(self) -> None:
        if not self.kept:
            return
        recording = self.random.choice(self.kept)
        fields = {"recording": recording, "basis": "case 7/2026"}
        if recording in self.held:
            self.held.remove(recording)
            self.world.act("hold", fields | {"state": "lifted"}, by=("amara", "bilal"))
        else:
            self.held.append(recording)
            self.world.act("hold", fields | {"state": "placed"}, who="chen")

    def category(self) -> None:
        if self.kept:
            recording = self.random.choice(self.kept)
            longer = {"recording": recording, "class": "long", "basis": "proceedings"}
            self.world.act("category", longer, who="bilal")
            shorter = longer | {"class": "routine", "basis": "proceedings ended"}
            self.world.act("category", shorter, by=("amara", "chen"))

    def enrolment(self) -> None:
        self.quiet()
        name = f"bwc-{self.count}"
        self.count += 1
        self.world.enrol(name, by=("bilal", "chen"), unit="gate-2")
        self.switch_on(name)
        if self.random.random() < 0.3:
            self.switch_off(name)
            self.gone.add(name)
            fields = {"subject": name, "since_ms": self.world.now_ms, "basis": "lost"}
            self.world.act("key.revoke", fields)

    def expected(self) -> None:
        device = self.device()
        self.alone(device)
        start = self.world.now_ms
        for _ in range(3):
            self.world.segment(device, after_ms=50_000)
        fields = {"from_ms": start, "to_ms": self.world.now_ms, "operation": "search"}
        who = (
            {"unit": "gate-2"}
            if self.random.random() < 0.5 and self.has_unit(device)
            else {"subject": device}
        )
        self.world.act("expect", fields | who | {"max_silence_s": 60})
        self.switch_off(device)

    def has_unit(self, device: str) -> bool:
        return device.startswith("bwc-")


def honest_world(seed: int, steps: int = 12) -> tuple[World, WitnessTimes]:
    """A history in which nobody did anything wrong, and when witnesses saw it."""
    life = HonestLife(seed)
    life.live(steps)
    return life.world, witness_times(life.confirmed)
