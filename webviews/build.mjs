/**
 * Builds what browsers load: webviews/static and the libraries that pages use → static/dist, every name
 * carrying a hash of its content, with manifest.json {logical name: name in dist}; and the code reader
 * of the sandbox's phone.
 *
 * What was found in the libraries, and how pages must use them under a policy without 'unsafe-eval':
 *
 * - htmx 4.0.1 (dist/htmx.min.js, a classic script, 13 kB gzipped). It compiles strings with the
 *   Function constructor only for hx-on:*, hx-confirm="js:…", hx-vals/hx-headers="js:…", hx-action="js:…"
 *   and trigger filters (hx-trigger="click[ctrlKey]"): those five are not to be used; everything else
 *   runs without eval. There is no `allowEval` switch any more. The extension hx-csp can run the five by
 *   nonced script elements; not using them is simpler and safer. Its indicator style is an adopted
 *   style sheet, which style-src does not touch. Defaults that differ from version 2: attributes are
 *   not inherited unless written `hx-target:inherited`, error responses are swapped too (all but 204
 *   and 304; see hx-status:4xx), events are named htmx:phase:noun, requests are fetch and same-origin.
 *   Server-sent events are the extension dist/ext/hx-sse.js.
 * - Alpine's CSP build (@alpinejs/csp, dist/cdn.min.js, 24 kB gzipped) interprets expressions with a
 *   parser of its own and holds no Function constructor. Anything longer than a simple expression goes
 *   into Alpine.data(…), registered on the event alpine:init, which has to be listened to before it loads.
 * - zxing-wasm is WebAssembly: pages that scan need script-src 'wasm-unsafe-eval' and no more. See
 *   vendor/zxing_reader.js for where its binary comes from.
 * - weui.min.css is 188 kB (23 kB gzipped): only the rules for classes that templates and scripts name
 *   are kept. A class put together at run time must stand whole in some template or script.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build, transform } from "esbuild";
import { PurgeCSS } from "purgecss";

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "static");
const dist = join(sources, "dist");
const packages = join(here, "node_modules");
const sandboxReader = join(here, "..", "src", "wechat_sandbox", "static", "dist", "zxing");

/** Classic scripts as their authors ship them: already minified, and what their own tests ran on. */
const SHIPPED_SCRIPTS = {
  "vendor/htmx.js": "htmx.org/dist/htmx.min.js",
  "vendor/htmx-sse.js": "htmx.org/dist/ext/hx-sse.min.js",
  "vendor/htmx-alpine.js": "htmx.org/dist/ext/hx-alpine-compat.min.js",
  "vendor/alpine.js": "@alpinejs/csp/dist/cdn.min.js",
};

/** What a diner's first visit may load on the heaviest page; together they must stay under the budget. */
const DINER_FIRST_VISIT = [
  "vendor/htmx.js",
  "vendor/weui.css",
  "css/diner.css",
  "js/code.js",
  "js/joining.js",
  "js/live.js",
  "js/sharing.js",
];
const DINER_BUDGET_BYTES = 85_000; // Of 100 kB; the rest is for the page itself and its first picture.

const BROWSERS = ["chrome87", "safari14.1"]; // WeChat's web view: XWeb on Android, WebKit on iOS.
const BUNDLING = { bundle: true, minify: true, legalComments: "eof", logLevel: "warning" };
const FILE_LOADERS = Object.fromEntries(
  [".wasm", ".png", ".jpg", ".webp", ".svg", ".woff2", ".mp3", ".ogg"].map((ending) => [ending, "file"]),
);

const manifest = {};

async function filesBelow(folder) {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.startsWith(dist + "/"))
    .sort();
}

/** Write under a name with the content's hash, so that a browser may keep it for ever. */
async function emit(logical, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const ending = extname(logical);
  const hashed = `${logical.slice(0, -ending.length)}-${hash}${ending}`;
  await mkdir(dirname(join(dist, hashed)), { recursive: true });
  await writeFile(join(dist, hashed), content);
  manifest[logical] = hashed;
}

async function copyShippedScripts() {
  for (const [logical, path] of Object.entries(SHIPPED_SCRIPTS)) {
    const text = await readFile(join(packages, path), "utf8");
    // Source maps are not served; a browser's tools would only report them missing.
    await emit(logical, text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));
  }
}

/** WeUI without the components that no template or script of ours names. */
async function trimWeui() {
  const own = [
    ...(await filesBelow(join(here, "templates"))),
    ...(await filesBelow(join(sources, "js"))),
    ...(await filesBelow(join(sources, "css"))),
  ];
  const content = own.filter((path) => [".html", ".js"].includes(extname(path)));
  const [kept] = await new PurgeCSS().purge({
    content: [{ raw: "<html><body class='wx-root'>", extension: "html" }, ...content],
    css: [join(packages, "weui/dist/style/weui.css")],
    defaultExtractor: (text) => text.match(/[\w-]+/g) ?? [],
    keyframes: true,
  });
  const css = await withoutUnreadVariables(kept.css, own);
  const { code, warnings } = await transform(css, { loader: "css", minify: true, target: BROWSERS });
  if (warnings.length > 0) throw new Error(`Trimming broke weui.css: ${warnings[0].text}`);
  await emit("vendor/weui.css", code);
}

/** Drop custom properties that nothing reads any more: half of what is left are colours of lost components. */
async function withoutUnreadVariables(css, own) {
  const texts = await Promise.all(own.map((path) => readFile(path, "utf8")));
  const readOutside = texts.join("\n").match(/--weui-[\w-]+/g) ?? [];
  for (;;) {
    const read = new Set([...readOutside, ...[...css.matchAll(/var\(\s*(--[\w-]+)/g)].map((m) => m[1])]);
    // A declaration's value holds no braces or semicolons in this file: WeUI's pictures are base64 or
    // percent-encoded, and only the variables are touched.
    const next = css.replace(/(--weui-[\w-]+)\s*:[^;{}]*;/g, (whole, name) => (read.has(name) ? whole : ""));
    if (next === css) return css;
    css = next;
  }
}

/** Top-level files of css/ and js/ are what pages load; files in folders below are parts of those. */
async function bundleOwn() {
  const all = await filesBelow(sources);
  const entries = all.filter((path) => ["css", "js"].some((kind) => dirname(path) === join(sources, kind)));
  entries.push(join(here, "vendor", "zxing_reader.js"));
  const result = await build({
    ...BUNDLING,
    entryPoints: entries.map((path) => ({ in: path, out: logicalName(path).replace(/\.\w+$/, "") })),
    outdir: dist,
    format: "esm",
    splitting: true,
    entryNames: "[dir]/[name]-[hash]",
    chunkNames: "js/parts/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    loader: FILE_LOADERS,
    target: BROWSERS,
    metafile: true,
    absWorkingDir: here, // esbuild keeps the folder it was started in, whatever chdir says later.
  });
  for (const [output, { entryPoint }] of Object.entries(result.metafile.outputs)) {
    if (entryPoint) manifest[logicalName(join(process.cwd(), entryPoint))] = relative(dist, join(process.cwd(), output));
  }
}

function logicalName(path) {
  const inStatic = relative(sources, path);
  return inStatic.startsWith("..") ? `vendor/${basename(path)}` : inStatic;
}

async function copyPictures() {
  for (const path of await filesBelow(sources)) {
    const logical = relative(sources, path);
    if (!/^(css|js)\//.test(logical) && extname(logical)) await emit(logical, await readFile(path));
  }
}

/** The sandbox serves its phone from its own folder, under plain names: it is no part of the product. */
async function buildSandboxReader() {
  await rm(sandboxReader, { recursive: true, force: true });
  await build({
    ...BUNDLING,
    entryPoints: [join(here, "vendor", "zxing_reader.js")],
    outdir: sandboxReader,
    format: "esm",
    assetNames: "[name]",
    loader: FILE_LOADERS,
    target: BROWSERS,
  });
}

async function checkDinerBudget() {
  let total = 0;
  for (const logical of DINER_FIRST_VISIT.filter((name) => name in manifest)) {
    const bytes = gzipSync(await readFile(join(dist, manifest[logical])), { level: 6 }).length;
    total += bytes;
    console.log(`  ${logical.padEnd(22)} ${String(bytes).padStart(7)} bytes gzipped`);
  }
  console.log(`  ${"a diner's first visit".padEnd(22)} ${String(total).padStart(7)} of ${DINER_BUDGET_BYTES}`);
  if (total > DINER_BUDGET_BYTES) {
    throw new Error(`A diner's first visit would load ${total} bytes, more than ${DINER_BUDGET_BYTES}.`);
  }
}

process.chdir(here);
await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await copyShippedScripts();
await trimWeui();
await bundleOwn();
await copyPictures();
await buildSandboxReader();
await checkDinerBudget();
const sorted = Object.fromEntries(Object.entries(manifest).sort());
await writeFile(join(dist, "manifest.json"), JSON.stringify(sorted, null, 1) + "\n");
