/** The image as people and hypervisors take it: compressed, qcow2, and an OVA that asks for UEFI and a virtual TPM. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BuildFailed } from './run.ts'
import type { Tools } from './tools.ts'

/** A disk that is larger than its image: the first start takes the rest for data. */
const virtualDiskBytes = 32 * 2 ** 30

export const formats = ['raw', 'zst', 'qcow2', 'ova'] as const
export type Format = (typeof formats)[number]

export function parseFormats(text: string): Format[] {
  return text
    .split(',')
    .filter(Boolean)
    .map(name => {
      const format = formats.find(each => each === name)
      if (!format) throw new BuildFailed(`--formats ${name}: there are ${formats.join(', ')}`)
      return format
    })
}

/** @param disk the raw image @returns the file, beside it */
export async function makeFormat(tools: Tools, disk: string, format: Format, epoch: number): Promise<string> {
  const folder = dirname(disk)
  const name = basename(disk, '.img')
  switch (format) {
    case 'raw':
      return disk
    case 'zst':
      // Two threads on every machine: the number of threads is part of what comes out.
      await tools.run(folder, 'zstd', [
        '-q',
        '-f',
        '--no-progress',
        '-T2',
        '-12',
        basename(disk),
        '-o',
        `${basename(disk)}.zst`,
      ])
      return `${disk}.zst`
    case 'qcow2':
      await tools.run(folder, 'qemu-img', [
        'convert',
        '-c',
        '-m',
        '1',
        '-O',
        'qcow2',
        basename(disk),
        `${name}.qcow2`,
      ])
      await tools.run(folder, 'qemu-img', ['resize', '-q', `${name}.qcow2`, String(virtualDiskBytes)])
      return join(folder, `${name}.qcow2`)
    case 'ova':
      return await makeOva(tools, folder, name, epoch)
  }
}

async function makeOva(tools: Tools, folder: string, name: string, epoch: number): Promise<string> {
  const disk = `${name}.vmdk`
  const to = join(folder, `${name}.ova`)
  const larger = join(folder, `${name}.larger`)
  execFileSync('cp', ['--sparse=always', join(folder, `${name}.img`), larger])
  truncateSync(larger, virtualDiskBytes)
  await tools.run(folder, 'qemu-img', [
    ...[
      'convert',
      '-m',
      '1',
      '-O',
      'vmdk',
      '-o',
      'subformat=streamOptimized,adapter_type=lsilogic',
      `${name}.larger`,
      disk,
    ],
  ])
  rmSync(larger)
  fixContentId(join(folder, disk))
  writeFileSync(join(folder, `${name}.ovf`), descriptor(name, disk, statSync(join(folder, disk)).size))
  // The descriptor first: who imports reads it before the rest has arrived.
  await tools.run(folder, 'tar', [
    ...['--format=ustar', `--mtime=@${epoch}`, '--owner=root:0', '--group=root:0', '--mode=0644'],
    ...['-cf', `${name}.ova.new`, `${name}.ovf`, disk],
  ])
  for (const each of [`${name}.ovf`, disk]) rmSync(join(folder, each))
  renameSync(`${to}.new`, to)
  return to
}

/** qemu-img gives every disk a random content id; nobody looks at it, and two builds would differ. */
function fixContentId(file: string): void {
  const handle = openSync(file, 'r+')
  try {
    const head = Buffer.alloc(64 * 1024)
    readSync(handle, head, 0, head.length, 0)
    const at = head.indexOf('\nCID=') + '\nCID='.length
    writeSync(handle, Buffer.from('6c657472'), 0, 8, at)
  } finally {
    closeSync(handle)
  }
}

/** DMTF DSP0243 (OVF 1.1), with the two settings that the common hypervisors know beyond it. */
function descriptor(name: string, disk: string, bytes: number): string {
  const item = (id: number, type: number, element: string, more: string) =>
    `      <Item>\n        <rasd:ElementName>${element}</rasd:ElementName>\n        <rasd:InstanceID>${id}</rasd:InstanceID>\n        <rasd:ResourceType>${type}</rasd:ResourceType>\n${more}      </Item>\n`
  const line = (member: string, value: string | number) =>
    `        <rasd:${member}>${value}</rasd:${member}>\n`
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References>
    <File ovf:id="disk-file" ovf:href="${disk}" ovf:size="${bytes}"/>
  </References>
  <DiskSection>
    <Info>One disk</Info>
    <Disk ovf:diskId="disk" ovf:fileRef="disk-file" ovf:capacity="${virtualDiskBytes}" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <NetworkSection>
    <Info>One network</Info>
    <Network ovf:name="network"/>
  </NetworkSection>
  <VirtualSystem ovf:id="${name}">
    <Info>Letro</Info>
    <Name>${name}</Name>
    <OperatingSystemSection ovf:id="96" vmw:osType="debian12_64Guest">
      <Info>Debian, 64 bit</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>UEFI with Secure Boot, a TPM, two processors, 2 GiB of memory</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemType>vmx-14</vssd:VirtualSystemType>
      </System>
${item(1, 3, '2 processors', line('VirtualQuantity', 2))}${item(2, 4, '2048 MB of memory', line('AllocationUnits', 'byte * 2^20') + line('VirtualQuantity', 2048))}${item(3, 6, 'SCSI controller', line('Address', 0) + line('ResourceSubType', 'lsilogicsas'))}${item(4, 17, 'Disk', line('AddressOnParent', 0) + line('HostResource', 'ovf:/disk/disk') + line('Parent', 3))}${item(5, 10, 'Network', line('AddressOnParent', 7) + line('AutomaticAllocation', 'true') + line('Connection', 'network') + line('ResourceSubType', 'VmxNet3'))}${item(6, 1, 'TPM 2.0', line('ResourceSubType', 'vmware.vtpm'))}      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
      <vmw:Config ovf:required="false" vmw:key="bootOptions.efiSecureBootEnabled" vmw:value="false"/>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`
}
