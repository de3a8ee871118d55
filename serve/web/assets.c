/*
 * The style sheet and the script of the pages. The script only tells when something has happened
 * and, where nobody is typing, loads the page again; without it a person does that.
 */
#include "serve/web/request.h"

static const char style[] =
    ":root { color-scheme: light dark; --text: #1c2530; --paper: #fbfcfd; --line: #d5dbe2;\n"
    "  --soft: #5a6775; --card: #ffffff; --link: #0b5cad; --good: #14713d; --warn: #8a5200;\n"
    "  --bad: #b3201f; --busy: #0b5cad; }\n"
    "@media (prefers-color-scheme: dark) { :root { --text: #e4e9ef; --paper: #14181d;\n"
    "  --line: #343c46; --soft: #9aa7b5; --card: #1b2128; --link: #7fb8f5; --good: #5fcf8f;\n"
    "  --warn: #f0b35a; --bad: #ff8a80; --busy: #7fb8f5; } }\n"
    "* { box-sizing: border-box; }\n"
    "body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text);\n"
    "  background: var(--paper); }\n"
    "header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline;\n"
    "  padding: .75rem 1.5rem; border-bottom: 1px solid var(--line); background: var(--card); }\n"
    "header p { margin: 0 0 0 auto; color: var(--soft); }\n"
    "nav a { margin-right: 1rem; }\n"
    "main { max-width: 76rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }\n"
    "a { color: var(--link); } a:focus-visible, button:focus-visible, input:focus-visible {\n"
    "  outline: 3px solid var(--link); outline-offset: 2px; }\n"
    ".skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: .5rem; }\n"
    "h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }\n"
    "table { border-collapse: collapse; width: 100%; background: var(--card);\n"
    "  border: 1px solid var(--line); }\n"
    "caption { text-align: left; padding: .25rem 0; color: var(--soft); }\n"
    "th, td { text-align: left; padding: .45rem .75rem; border-bottom: 1px solid var(--line);\n"
    "  vertical-align: top; } th { font-weight: 600; color: var(--soft); }\n"
    "td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }\n"
    "code, time { font-family: ui-monospace, monospace; font-size: .9em; }\n"
    ".word { font-weight: 600; color: var(--soft); }\n"
    ".word.idle, .word.done, .word.up, .word.passing, .word.in-service\n"
    "  { color: var(--good); }\n"
    ".word.running, .word.queued, .word.pending { color: var(--busy); }\n"
    ".word.held, .word.backing-off, .word.suspended, .word.draining, .word.unknown,\n"
    ".word.skipped, .word.stopped { color: var(--warn); }\n"
    ".word.failed, .word.failing, .word.interrupted, .word.out-of-service, .word.error\n"
    "  { color: var(--bad); }\n"
    ".problem { border-left: 4px solid var(--bad); padding: .5rem .75rem;\n"
    "  background: var(--card); }\n"
    ".create { color: var(--good); } .delete { color: var(--bad); }\n"
    ".zones { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; list-style: none; }\n"
    ".zones > li { border: 1px solid var(--line); background: var(--card); border-radius: .5rem;\n"
    "  padding: .75rem 1rem; min-width: 14rem; }\n"
    ".zones h4 { margin: 0 0 .5rem; } .zones ul { margin: 0; padding-left: 1.1rem; }\n"
    "form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .5rem 0; }\n"
    "input, button { font: inherit; padding: .3rem .6rem; border: 1px solid var(--line);\n"
    "  border-radius: .35rem; background: var(--card); color: var(--text); }\n"
    "button { cursor: pointer; border-color: var(--link); color: var(--link); }\n"
    "@media (max-width: 40rem) { table { display: block; overflow-x: auto; } }\n";

static const char script[] =
    "'use strict';\n"
    "(() => {\n"
    "  const live = document.getElementById('live');\n"
    "  if (!live || !window.EventSource) return;\n"
    "  const types = ['queued', 'run-began', 'step', 'run-ended', 'held', 'drift', 'recovery'];\n"
    "  let waiting = null;\n"
    "  const source = new EventSource('/api/v1/events');\n"
    "  const busy = () => document.activeElement && document.activeElement.matches('input');\n"
    "  const reload = () => { if (busy()) waiting = setTimeout(reload, 2000);\n"
    "    else location.reload(); };\n"
    "  const heard = (event) => {\n"
    "    let what = {};\n"
    "    try { what = JSON.parse(event.data); } catch (error) { return; }\n"
    "    live.textContent = [event.type.replace('-', ' '), what.deployment, what.message]\n"
    "      .filter(Boolean).join(' \\u00b7 ');\n"
    "    if (event.type !== 'step' && !waiting) waiting = setTimeout(reload, 700);\n"
    "  };\n"
    "  types.forEach((type) => source.addEventListener(type, heard));\n"
    "  source.addEventListener('error', () => { live.textContent = 'not connected'; });\n"
    "  source.addEventListener('open', () => { live.textContent = 'live'; });\n"
    "})();\n";

void tt_web_style(struct tt_web_request *request, struct tt_web_reply *reply)
{
    (void)request;
    reply->type = "text/css; charset=utf-8";
    tt_buf_add(&reply->body, style);
}

void tt_web_script(struct tt_web_request *request, struct tt_web_reply *reply)
{
    (void)request;
    reply->type = "text/javascript; charset=utf-8";
    tt_buf_add(&reply->body, script);
}
