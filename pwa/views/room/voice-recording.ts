/** A recording from the microphone: the sound, how long, how loud along its way. */
import { loudness, waveformOf } from './waveform.ts'

export interface Recorded {
  readonly blob: Blob
  readonly durationMs: number
  readonly waveform: readonly number[]
}

const levelEveryMs = 100
const types = ['audio/ogg;codecs=opus', 'audio/webm;codecs=opus', 'audio/mp4']

export class VoiceRecording {
  readonly #recorder: MediaRecorder
  readonly #stream: MediaStream
  readonly #audio: AudioContext
  readonly #levels: number[] = []
  readonly #chunks: Blob[] = []
  readonly #startedAt = performance.now()
  readonly #timer: ReturnType<typeof setInterval>

  /** @throws DOMException NotAllowedError, NotFoundError */
  static async start(
    onLevel: (levels: readonly number[], elapsedMs: number) => void,
  ): Promise<VoiceRecording> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
    return new VoiceRecording(stream, onLevel)
  }

  private constructor(stream: MediaStream, onLevel: (levels: readonly number[], elapsedMs: number) => void) {
    const mimeType = types.find(type => MediaRecorder.isTypeSupported(type))
    this.#stream = stream
    this.#recorder = new MediaRecorder(stream, { ...(mimeType && { mimeType }), audioBitsPerSecond: 32_000 })
    this.#recorder.ondataavailable = ({ data }) => this.#chunks.push(data)
    this.#audio = new AudioContext()
    const analyser = this.#audio.createAnalyser()
    this.#audio.createMediaStreamSource(stream).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      this.#levels.push(loudness(samples))
      onLevel(this.#levels, performance.now() - this.#startedAt)
    }, levelEveryMs)
    this.#recorder.start(1000)
  }

  async stop(): Promise<Recorded> {
    const durationMs = Math.round(performance.now() - this.#startedAt)
    await new Promise<void>(resolve => {
      this.#recorder.onstop = () => resolve()
      this.#recorder.stop()
    })
    this.#release()
    const type = this.#recorder.mimeType.split(';')[0]!
    return { blob: new Blob(this.#chunks, { type }), durationMs, waveform: waveformOf(this.#levels) }
  }

  /** Nothing of it is kept. */
  discard(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop()
    this.#release()
  }

  #release(): void {
    clearInterval(this.#timer)
    for (const track of this.#stream.getTracks()) track.stop()
    if (this.#audio.state !== 'closed') void this.#audio.close()
  }
}
