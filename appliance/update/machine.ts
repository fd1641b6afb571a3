/** What the updater needs of the machine that it runs on. linux-machine.ts is the appliance; tests bring files. */
import type { Access, BlockDevice } from './block-device.ts'
import type { Esp } from './esp.ts'
import type { Partition } from './gpt.ts'

export interface Machine {
  readonly esp: Esp
  /** Another one after each start. */
  bootId(): Promise<string>
  /** The numbers of the partitions on `disk` that the root filesystem comes from. */
  runningPartitions(): Promise<readonly number[]>
  /** The whole disk that the system runs from. */
  openDisk(access: Access): Promise<BlockDevice>
  /** To be written. */
  openPartition(partition: Partition): Promise<BlockDevice>
  /** A moment later: whoever asked for it is answered before. */
  restart(): Promise<void>
}
