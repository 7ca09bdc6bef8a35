// Clips in step: they share one clock. While they play, each is held to it; when they stand, each shows the same frame.

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];
// Seconds. A clip that is further off than FAR is sought, one that is nearer plays faster or slower until it is not.
const FAR = 0.25, NEAR = 0.006;
const PATIENCE = 3000;

class Clip {
  constructor(video, { fps, seconds }) {
    Object.assign(this, { video, fps: fps || 24, seconds: seconds || 0, soughtAt: 0 });
    video.addEventListener("loadedmetadata", () => { this.seconds = video.duration || this.seconds; });
  }

  // The number of the frame that is to be seen at a time, and of the last one.
  frameAt(time) { return Math.max(0, Math.min(Math.floor(time * this.fps + 1e-6), this.last)); }
  get last() { return Math.max(0, Math.round(this.seconds * this.fps) - 1); }
  get broken() { return Boolean(this.video.error); }
  get ready() { return this.broken || (this.video.readyState >= 3 && !this.video.seeking); }

  // The middle of a frame: no rounding makes it the frame beside.
  middleOf(frame) { return (frame + 0.5) / this.fps; }

  // Show the frame of a time, and wait until it is on the screen.
  async show(time) {
    const { video } = this;
    const frame = this.frameAt(time), wanted = this.middleOf(frame);
    if (this.broken || (!video.seeking && Math.abs(video.currentTime - wanted) < 1e-3)) return;
    const seen = new Promise((resolve) => {
      const look = (_, { mediaTime }) => {
        if (Math.abs(mediaTime - frame / this.fps) < 0.75 / this.fps) resolve();
        else video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback?.(look);
      // Frames of uneven length have other times; what is out of sight is not told of at all.
      once(video, "seeked").then(() => after(video.requestVideoFrameCallback ? 150 : 30)).then(resolve);
    });
    video.currentTime = wanted;
    await Promise.race([seen, after(PATIENCE)]);
  }

  // Until it can play from a time.
  async cue(time) {
    const { video } = this;
    video.pause();
    const wanted = this.middleOf(this.frameAt(time));
    if (video.readyState < 1) await Promise.race([once(video, "loadedmetadata"), once(video, "error"), after(PATIENCE)]);
    if (Math.abs(video.currentTime - wanted) > 0.5 / this.fps) video.currentTime = wanted;
    if (!this.ready) await Promise.race([once(video, "canplay"), once(video, "error"), after(PATIENCE)]);
  }

  start(rate) {
    this.video.playbackRate = rate;
    // A clip that is taken away before it began says so.
    this.video.play().catch(() => {});
  }

  // Hold it to the clock of a deck that plays.
  hold(time, rate, now) {
    const { video } = this;
    if (this.broken || video.seeking || video.readyState < 2) return;
    // The last frame of a short clip stays until the others are through.
    if (time >= this.seconds - 0.5 / this.fps) return video.pause();
    if (video.paused) this.start(rate);
    const late = time - video.currentTime;
    if (Math.abs(late) > FAR) {
      if (now - this.soughtAt < 1000) return;
      this.soughtAt = now;
      video.currentTime = time;
    } else {
      const wanted = Math.abs(late) < NEAR ? rate : rate * (1 + Math.max(-0.6, Math.min(0.6, late / 0.12)));
      if (Math.abs(video.playbackRate - wanted) > 1e-3) video.playbackRate = wanted;
    }
  }
}

class Deck {
  clips = new Map();
  time = 0;
  rate = 1;
  playing = false;
  // Start and end of the span that is looped; null for the whole.
  span = null;
  #since = 0;
  #isSet = false;
  #ticks = 0;
  #timer = null;
  #left = 0;
  #stepping = null;
  #isSeeking = false;

  constructor(changed) { this.changed = changed; }

  get seconds() { return Math.max(0, ...[...this.clips.values()].map(({ seconds }) => seconds)); }
  get fps() { return Math.max(0, ...[...this.clips.values()].map(({ fps }) => fps)) || 24; }
  get frame() { return Math.floor(this.now() * this.fps + 1e-6); }
  now() { return this.#timer ? this.time + ((performance.now() - this.#since) / 1000) * this.rate : this.time; }

  async add(video, facts) {
    this.clips.set(video, new Clip(video, facts));
    await this.#join(video);
  }

  // The same clip from another file.
  async reload(video, src) {
    video.src = src;
    await this.#join(video);
  }

  async #join(video) {
    const clip = this.clips.get(video);
    await clip.cue(this.now());
    // One that comes late joins those that play; the clock decides where.
    if (this.#timer && this.clips.has(video)) clip.start(this.rate);
    this.changed();
  }

  remove(video) {
    this.clips.delete(video);
    if (!this.clips.size) this.pause();
  }

  async play() {
    this.playing = this.clips.size > 0;
    const [start, end] = this.#bounds();
    if (this.time < start || this.time >= end - 1 / this.fps) this.time = start;
    this.changed();
    if (!this.playing) return;
    await Promise.all([...this.clips.values()].map((clip) => clip.cue(this.time)));
    if (!this.playing || this.#timer) return;
    this.#since = performance.now();
    this.#isSet = false;
    this.clips.forEach((clip) => clip.start(this.rate));
    this.#timer = setInterval(() => this.#tick(), 60);
  }

  pause() {
    this.#halt();
    this.playing = false;
    this.clips.forEach(({ video }) => video.pause());
    this.changed();
  }

  #halt() {
    this.time = this.now();
    clearInterval(this.#timer);
    this.#timer = null;
  }

  // Clips begin a little after they are told to: the clock follows the one in the middle, so that few need to hurry.
  #setClock() {
    const times = [...this.clips.values()].filter((clip) => clip.ready).map(({ video }) => video.currentTime).sort((a, b) => a - b);
    const middle = times[times.length >> 1];
    if (middle !== undefined && Math.abs(middle - this.now()) < FAR) this.#since += ((this.now() - middle) / this.rate) * 1000;
    this.#isSet = true;
  }

  #bounds() { return this.span ? [this.span[0], Math.min(this.span[1], this.seconds)] : [0, this.seconds]; }

  #tick() {
    if (!this.#isSet) this.#setClock();
    const now = this.now(), [start, end] = this.#bounds();
    if (now >= end && end > start) {
      this.#halt();
      this.time = start;
      this.play();
    } else {
      this.clips.forEach((clip) => clip.hold(now, this.rate, performance.now()));
      this.#ticks += 1;
      if (this.#ticks % 3 === 0) this.changed();
    }
  }

  speed(rate) {
    if (this.#timer) {
      this.time = this.now();
      this.#since = performance.now();
    }
    this.rate = rate;
    this.clips.forEach(({ video }) => { video.playbackRate = rate; });
    this.changed();
  }

  // Go to a time. While it is dragged along, only the last wish counts.
  async seek(time) {
    const goesOn = this.playing;
    if (!this.#isSeeking) this.pause();
    this.time = Math.max(0, Math.min(time, this.clips.size ? this.seconds : time));
    this.changed();
    if (this.#isSeeking) return;
    this.#isSeeking = true;
    for (let shown = null; shown !== this.time;) {
      shown = this.time;
      await this.#show();
    }
    this.#isSeeking = false;
    if (goesOn) await this.play();
  }

  // Frames forward or back, all clips together, one after the other however fast they are asked for.
  step(by) {
    this.#left += by;
    this.#stepping ??= this.#steps().finally(() => { this.#stepping = null; });
    return this.#stepping;
  }

  async #steps() {
    if (this.playing) this.pause();
    const last = Math.max(0, Math.round(this.seconds * this.fps) - 1);
    while (this.#left) {
      const frame = Math.max(0, Math.min(this.frame + this.#left, last));
      this.#left = 0;
      this.time = (frame + 0.5) / this.fps;
      this.changed();
      await this.#show();
    }
  }

  #show() { return Promise.all([...this.clips.values()].map((clip) => clip.show(this.time))); }

  // Begin a span, end it, give it up.
  mark() {
    const now = this.now();
    if (!this.span) this.span = [now, Infinity];
    else if (this.span[1] === Infinity && now > this.span[0] + 0.5 / this.fps) this.span = [this.span[0], now];
    else this.span = null;
    this.changed();
  }
}

function once(target, type) {
  return new Promise((resolve) => { target.addEventListener(type, resolve, { once: true }); });
}

function after(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
