// The smallest SquashFS image there is, of an empty directory: to try whether one can be mounted.

const SUPERBLOCK = 96, INODE = 32;
const NO_TABLE = 0xffff_ffff_ffff_ffffn;
/** Says in a metadata block's header that what follows is not compressed. */
const PLAIN = 0x8000;

/** Layout: superblock, a block with one inode, a block with one owner, the list of the latter's places
 * (Documentation/filesystems/squashfs.rst). Nothing is compressed. */
export function makeEmptySquashfs(): Uint8Array<ArrayBuffer> {
  const inodes = SUPERBLOCK, owners = inodes + 2 + INODE, ownerList = owners + 2 + 4;
  const end = ownerList + 8;
  const image = new Uint8Array(end);
  const view = new DataView(image.buffer);
  const put16 = (at: number, value: number) => view.setUint16(at, value, true);
  const put32 = (at: number, value: number) => view.setUint32(at, value, true);
  const put64 = (at: number, value: bigint) => view.setBigUint64(at, value, true);

  put32(0, 0x73717368); // "hsqs"
  put32(4, 1); // inodes
  put32(12, 1 << 12); // block size
  put16(20, 1); // gzip
  put16(22, 12); // log2 of the block size
  put16(24, 0x0001 | 0x0002 | 0x0008 | 0x0010 | 0x0200); // nothing compressed, no fragments, xattrs
  put16(26, 1); // owners
  put16(28, 4); // version 4.0
  put64(32, 0n); // the root is the first inode
  put64(40, BigInt(end));
  put64(48, BigInt(ownerList));
  put64(56, NO_TABLE); // xattrs
  put64(64, BigInt(inodes));
  put64(72, BigInt(owners)); // directories: none, so they end where the next table starts
  put64(80, NO_TABLE); // fragments
  put64(88, NO_TABLE); // export

  put16(inodes, PLAIN | INODE);
  put16(inodes + 2, 1); // a directory
  put16(inodes + 4, 0o755);
  put32(inodes + 14, 1); // its number
  put32(inodes + 22, 2); // links
  put16(inodes + 26, 3); // an empty directory's size
  put32(inodes + 30, 2); // its parent's number, which is one more than there are

  put16(owners, PLAIN | 4);
  put64(ownerList, BigInt(owners));
  return image;
}
