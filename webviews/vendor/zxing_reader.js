/* Reads codes from pictures with zxing-wasm, its binary beside this file and never from elsewhere. */
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

import binary from "zxing-wasm/reader/zxing_reader.wasm";

// Left alone, zxing-wasm fetches its binary from a public content network: a foreign host that the
// content security policy refuses, and that a shop's tablet may not reach.
prepareZXingModule({
  overrides: { locateFile: () => new URL(binary, import.meta.url).href },
});

export { readBarcodes };
