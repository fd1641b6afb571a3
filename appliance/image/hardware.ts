/**
 * Which of the kernel's modules an appliance keeps: disks, network, console and sensors of servers, and the devices of
 * the common hypervisors. Firmware follows from them: every file that a kept module names.
 */

/** Paths below /usr/lib/modules/VERSION/kernel, by their beginning. */
const kept = [
  'arch/x86/crypto/',
  'block/',
  'crypto/',
  'lib/',
  // What a stick, an ISO, the ESP and the data partition are formatted with.
  'fs/erofs/',
  'fs/exfat/',
  'fs/ext4/',
  'fs/jbd2/',
  'fs/mbcache',
  'fs/fat/',
  'fs/isofs/',
  'fs/nls/',
  'fs/efivarfs/',
  'fs/netfs/',
  'drivers/acpi/',
  'drivers/ata/',
  'drivers/block/loop',
  'drivers/block/virtio_blk',
  'drivers/block/xen-blkfront',
  'drivers/cdrom/',
  'drivers/char/hw_random/',
  'drivers/char/ipmi/',
  'drivers/char/tpm/',
  'drivers/dca/',
  'drivers/dma/',
  'drivers/edac/',
  'drivers/firmware/',
  'drivers/gpu/drm/ast/',
  'drivers/gpu/drm/hyperv/',
  'drivers/gpu/drm/mgag200/',
  'drivers/gpu/drm/qxl/',
  'drivers/gpu/drm/tiny/',
  'drivers/gpu/drm/vboxvideo/',
  'drivers/gpu/drm/virtio/',
  'drivers/gpu/drm/vmwgfx/',
  'drivers/hid/hid.ko',
  'drivers/hid/hid-generic',
  'drivers/hid/hid-hyperv',
  'drivers/hid/usbhid/',
  'drivers/hv/',
  'drivers/hwmon/',
  'drivers/i2c/algos/',
  'drivers/i2c/busses/i2c-i801',
  'drivers/i2c/busses/i2c-piix4',
  // The power button is an input device: without evdev nobody hears it.
  'drivers/input/evdev',
  'drivers/input/keyboard/',
  'drivers/input/serio/',
  'drivers/md/dm-bufio',
  'drivers/md/dm-crypt',
  'drivers/md/dm-mod',
  'drivers/md/dm-verity',
  'drivers/message/fusion/',
  'drivers/net/bonding/',
  'drivers/net/ethernet/amazon/',
  'drivers/net/ethernet/amd/',
  'drivers/net/ethernet/aquantia/',
  'drivers/net/ethernet/broadcom/',
  'drivers/net/ethernet/chelsio/',
  'drivers/net/ethernet/cisco/',
  'drivers/net/ethernet/dec/tulip/',
  'drivers/net/ethernet/emulex/',
  'drivers/net/ethernet/google/',
  'drivers/net/ethernet/intel/',
  'drivers/net/ethernet/marvell/',
  'drivers/net/ethernet/mellanox/',
  'drivers/net/ethernet/microsoft/',
  'drivers/net/ethernet/qlogic/',
  'drivers/net/ethernet/realtek/',
  'drivers/net/ethernet/sfc/',
  'drivers/net/hyperv/',
  'drivers/net/mdio',
  'drivers/net/net_failover',
  'drivers/net/pcs/',
  'drivers/net/phy/',
  'drivers/net/virtio_net',
  'drivers/net/vmxnet3/',
  'drivers/net/xen-netfront',
  'drivers/nvme/host/',
  'drivers/pci/',
  'drivers/pps/',
  'drivers/ptp/',
  'drivers/scsi/',
  'drivers/thermal/',
  'drivers/tty/serial/',
  'drivers/usb/common/',
  'drivers/usb/core/',
  'drivers/usb/host/',
  'drivers/usb/storage/',
  'drivers/virtio/',
  'drivers/watchdog/',
  'drivers/xen/',
  'net/802/',
  'net/8021q/',
  'net/core/',
  'net/ipv4/netfilter/nf_',
  'net/ipv6/netfilter/nf_',
  'net/netfilter/nf_',
  'net/netfilter/nft_',
  'net/netfilter/nfnetlink',
  'net/packet/',
] as const

/** Only what must be there before the root filesystem is: the rest is loaded from it. */
const early = [
  'arch/x86/crypto/aesni',
  'arch/x86/crypto/crc',
  'arch/x86/crypto/sha',
  'crypto/',
  'lib/',
  'fs/erofs/',
  'fs/efivarfs/',
  'fs/fat/',
  'fs/nls/',
  'drivers/ata/',
  'drivers/block/virtio_blk',
  'drivers/block/xen-blkfront',
  'drivers/char/tpm/',
  'drivers/hid/hid.ko',
  'drivers/hid/hid-generic',
  'drivers/hid/usbhid/',
  'drivers/hv/',
  'drivers/input/serio/',
  'drivers/input/keyboard/atkbd',
  'drivers/md/',
  'drivers/message/fusion/',
  'drivers/nvme/host/',
  'drivers/pci/controller/',
  'drivers/scsi/',
  'drivers/usb/common/',
  'drivers/usb/core/',
  'drivers/usb/host/',
  'drivers/usb/storage/',
  'drivers/virtio/',
] as const

/** The kernel's tests of itself. */
const isTest = /^lib\/.*(?:test|kunit)|^crypto\/tcrypt|\/scsi_debug\./

export function isKept(module: string): boolean {
  return kept.some(path => module.startsWith(path)) && !isTest.test(module)
}

/** Disks behind a storage network: no place for the system, and large. */
const storageNetwork =
  /^drivers\/scsi\/(?:lpfc|qla2xxx|qla4xxx|bfa|bnx2fc|bnx2i|fnic|snic|csiostor|cxgbi|be2iscsi|qedf|qedi|libfc|fcoe|iscsi|libiscsi|scsi_transport_(?:iscsi|fc|srp)|elx)|^drivers\/nvme\/host\/nvme-(?:tcp|rdma|fc)|^drivers\/message\/fusion\/mpt(?:fc|lan)/
/** On buses that no machine with UEFI has. */
const bygone =
  /^drivers\/ata\/(?:pata_(?!acpi)|pdc_adma|sata_(?:sx4|qstor))|^drivers\/scsi\/(?:aic7xxx|aic94xx|advansys|BusLogic|dc395x|dmx3191d|atp870u|initio|qla1280|sym53c8xx|wd719x|3w-xxxx|ips|pcmcia|ppa|imm|a100u2w|am53c974|esp_scsi|fdomain|myr[bs])|^drivers\/usb\/host\/(?:sl811|isp116x|r8a66597|u132|oxu210)/

export function isEarly(module: string): boolean {
  return (
    early.some(path => module.startsWith(path)) &&
    ![isTest, storageNetwork, bygone].some(none => none.test(module))
  )
}

/** `modules.dep`: each module and all that it needs, as paths below `kernel/`. */
export function dependencies(modulesDep: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    modulesDep.split('\n').flatMap(line => {
      const colon = line.indexOf(':')
      if (colon === -1) return []
      const strip = (path: string) => path.replace(/^kernel\//, '')
      return [
        [
          strip(line.slice(0, colon)),
          line
            .slice(colon + 1)
            .trim()
            .split(/\s+/)
            .filter(Boolean)
            .map(strip),
        ],
      ]
    }),
  )
}

/** Those that `isWanted` names, and what they need. */
export function withNeeded(
  needs: ReadonlyMap<string, readonly string[]>,
  isWanted: (module: string) => boolean,
): ReadonlySet<string> {
  const result = new Set<string>()
  for (const [module, needed] of needs) {
    if (isWanted(module)) for (const each of [module, ...needed]) result.add(each)
  }
  return result
}
