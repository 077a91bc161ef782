// The peer co-wechat as its README shows it: Koa, encrypted mode, a text for an answer.
"use strict";

const Koa = require("koa");
const wechat = require("co-wechat");

const { BENCH_PORT, BENCH_TOKEN, BENCH_APPID, BENCH_AES_KEY, BENCH_REPLY } = process.env;

const app = new Koa();
app.use(
  wechat({ token: BENCH_TOKEN, appid: BENCH_APPID, encodingAESKey: BENCH_AES_KEY }).middleware(
    async () => BENCH_REPLY,
  ),
);
app.listen(Number(BENCH_PORT), "127.0.0.1");
