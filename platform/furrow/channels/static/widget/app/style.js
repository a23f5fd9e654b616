/* The look. Colours are custom properties on :host; the first rule is also written by theme.js. */

export const CSS = `
:host { --accent: #2f6b3c; --ink: #fff; --layer: 9000; --room: 100dvh; --shift: 0px;
  all: initial; display: block; }
:host([hidden]) { display: none; }
:host {
  --ground: #fffdf9; --raised: #f5f2ea; --line: #e3ddd0; --text: #23281f; --soft: #5d6357;
  --strong: var(--deep, var(--accent)); --tint: #edf2ea; --mark: #fbe9a9; --bad: #9b2f22; --bad-ground: #fcefeb; --warn: #f8ecc9; --warn-text: #564312;
  --shadow: 0 18px 50px rgb(30 40 25 / .22), 0 2px 8px rgb(30 40 25 / .1);
}
@supports (color: color-mix(in srgb, red, blue)) { :host { --tint: color-mix(in srgb, var(--accent) 9%, var(--ground)); } }
@media (prefers-color-scheme: dark) {
  :host(:not([scheme="light"])) { --ground: #1b1e1a; --raised: #262a24; --line: #3b4037; --text: #ecebe4; --soft: #a8ada0;
    --strong: #9ccaa4; --tint: #26302a; --mark: #5d5020; --bad: #f3a99c; --bad-ground: #3a2420; --warn: #3b331c; --warn-text: #f0dfae; --shadow: 0 18px 50px rgb(0 0 0 / .55); }
  @supports (color: color-mix(in srgb, red, blue)) {
    :host(:not([scheme="light"])) { --strong: color-mix(in srgb, var(--accent) 42%, #fff); --tint: color-mix(in srgb, var(--accent) 22%, var(--ground)); }
  }
}
:host([scheme="dark"]) { --ground: #1b1e1a; --raised: #262a24; --line: #3b4037; --text: #ecebe4; --soft: #a8ada0;
  --strong: #9ccaa4; --tint: #26302a; --mark: #5d5020; --bad: #f3a99c; --bad-ground: #3a2420; --warn: #3b331c; --warn-text: #f0dfae; --shadow: 0 18px 50px rgb(0 0 0 / .55); }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, p, ul, ol { margin: 0; padding: 0; }
button, input, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--strong); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.muted, small { color: var(--soft); font-size: 13px; }

/* A page may style our host element with !important; what it could hand down is reset here. */
.frame { all: initial; display: block; overflow: hidden; isolation: isolate; color: var(--text); background: var(--ground); color-scheme: light dark;
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", "PingFang SC", "Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", sans-serif; }
.frame:not(.inline) { position: fixed; z-index: var(--layer); bottom: calc(20px + env(safe-area-inset-bottom, 0px)); right: 20px;
  width: 408px; height: min(700px, calc(100vh - 40px)); border-radius: 20px; box-shadow: var(--shadow); animation: rise .2s ease-out; }
.frame.left { right: auto; left: 20px; }
.frame.inline { position: relative; width: 100%; height: min(640px, 85vh); min-height: 420px; border: 1px solid var(--line); border-radius: 16px; }
@supports (height: 1dvh) { .frame:not(.inline) { height: min(700px, calc(100dvh - 40px)); } }
.main { display: flex; flex-direction: column; height: 100%; }

header { display: flex; align-items: center; gap: 10px; padding: 12px 8px 12px 16px; border-bottom: 1px solid var(--line); flex: none; }
.avatar { width: 40px; height: 40px; flex: none; border-radius: 50%; display: grid; place-items: center; overflow: hidden;
  background: var(--accent); color: var(--ink); font-weight: 600; font-size: 17px; }
.heading { flex: 1; min-width: 0; }
.heading h2 { font-size: 16px; line-height: 1.35; font-weight: 650; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.heading p { font-size: 12.5px; line-height: 1.4; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.icon, .language { min-width: 44px; min-height: 44px; flex: none; display: inline-grid; place-items: center; padding: 0; border: 0;
  border-radius: 12px; background: none; color: var(--soft); }
.language { font-size: 13px; font-weight: 600; }
.icon:hover, .language:hover { background: var(--raised); color: var(--text); }
svg { width: 22px; height: 22px; display: block; flex: none; }

.banner { display: flex; gap: 10px; align-items: center; padding: 8px 16px; font-size: 13.5px; line-height: 1.45; background: var(--warn); color: var(--warn-text); flex: none; }
.log { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; padding: 18px 16px 8px; display: flex; flex-direction: column; gap: 16px; }
.log:focus-visible { outline-offset: -3px; }
.front { justify-content: flex-start; }
.front.brief { flex: none; max-height: 45%; }
.item { max-width: 100%; overflow-wrap: anywhere; }

.opening { display: flex; flex-direction: column; align-items: flex-start; gap: 10px; margin-bottom: 4px; }
.greeting { font-size: 17px; line-height: 1.6; white-space: pre-line; margin-bottom: 8px; }
.suggestion { min-height: 44px; padding: 9px 16px; text-align: start; line-height: 1.45; border: 1px solid var(--line); border-radius: 14px; background: var(--ground); color: var(--strong); }
.meant { display: flex; flex-direction: column; align-items: flex-start; gap: 8px; margin-top: 12px; }
.suggestion:hover { background: var(--tint); border-color: var(--strong); }

.people { display: flex; gap: 10px; align-items: center; font-size: 14px; line-height: 1.45; color: var(--soft); }
.faces { display: inline-flex; flex: none; }
.face { width: 34px; height: 34px; display: grid; place-items: center; border-radius: 50%; background: var(--tint); color: var(--strong); font-size: 13px; font-weight: 650; border: 2px solid var(--ground); }
.face + .face { margin-inline-start: -10px; }
.face.person { background: var(--warn); color: var(--warn-text); }
.notice-line { background: var(--warn); color: var(--warn-text); font-size: 14.5px; }
.resume { display: flex; gap: 12px; align-items: center; width: 100%; min-height: 56px; padding: 10px 14px; border: 1px solid var(--strong); border-radius: 14px; background: var(--tint); text-align: start; line-height: 1.4; }
.resume svg { color: var(--strong); }
.resume span { min-width: 0; display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.visitor { align-self: flex-end; max-width: 86%; display: flex; flex-direction: column; align-items: flex-end; }
.bubble { padding: 9px 14px; border-radius: 18px 18px 5px 18px; background: var(--accent); color: var(--ink); unicode-bidi: plaintext; }
.visitor.failed .bubble { background: var(--raised); color: var(--text); border: 1px dashed var(--bad); }
.state { font-size: 13px; color: var(--soft); margin-top: 4px; }

.photos { display: flex; flex-wrap: wrap; gap: 6px; justify-content: flex-end; margin-bottom: 4px; }
.photo { padding: 0; border: 0; border-radius: 14px; overflow: hidden; background: var(--raised); line-height: 0; }
.photo canvas { width: 112px; height: 112px; }
.photo.missing canvas { opacity: .3; }
canvas.large { max-width: 100%; height: auto; border-radius: 12px; align-self: center; }
.item.staff { align-self: flex-start; max-width: 90%; display: flex; flex-direction: column; gap: 6px; }
.bubble.staff { background: var(--warn); color: var(--warn-text); border-radius: 18px 18px 18px 5px; }
.bubble.staff a { color: inherit; }
.event { font-size: 13px; color: var(--soft); text-align: center; }
.csat .faces-row { display: flex; gap: 8px; margin-top: 8px; }
.face-button { flex: 1; min-height: 64px; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 2px; border: 1px solid var(--line); border-radius: 14px; background: var(--ground); font-size: 13px; }
.face-button:hover { background: var(--tint); border-color: var(--strong); }
.face-button svg { width: 28px; height: 28px; color: var(--strong); }
.cards { list-style: none; display: flex; gap: 8px; overflow-x: auto; padding: 2px 0 4px; }
.cards li { flex: 0 0 min(210px, 78%); display: flex; flex-direction: column; gap: 2px; padding: 10px 14px 4px; border: 1px solid var(--line); border-radius: 14px; background: var(--raised); line-height: 1.4; }
.cards .price { display: flex; gap: 8px; align-items: baseline; font-weight: 650; color: var(--strong); }
.cards .link { align-self: flex-start; }

.answer { display: flex; flex-direction: column; gap: 8px; }
.who { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; font-size: 12.5px; line-height: 1.5; color: var(--soft); }
.badge { padding: 1px 8px; border-radius: 8px; background: var(--tint); color: var(--strong); font-weight: 600; }
.badge.person { background: var(--warn); color: var(--warn-text); }
.text { display: flex; flex-direction: column; gap: 8px; unicode-bidi: plaintext; }
.text ul, .text ol { padding-inline-start: 22px; display: grid; gap: 4px; }
a { color: var(--strong); text-underline-offset: 3px; }
.chip { position: relative; min-width: 20px; height: 20px; margin: 0 3px; padding: 0 5px; vertical-align: 1px; line-height: 1; font-size: 12px; font-weight: 650;
  border: 0; border-radius: 7px; background: var(--tint); color: var(--strong); }
.chip::after { content: ""; position: absolute; inset: -12px; }
.chip:hover { background: var(--accent); color: var(--ink); }
.progress { display: flex; align-items: center; gap: 10px; color: var(--soft); font-size: 14.5px; }
.dots { display: inline-flex; gap: 4px; }
.dots i { width: 6px; height: 6px; border-radius: 50%; background: var(--strong); animation: bob 1.2s ease-in-out infinite; }
.dots i:nth-child(2) { animation-delay: .15s; }
.dots i:nth-child(3) { animation-delay: .3s; }

.sources { list-style: none; display: grid; border: 1px solid var(--line); border-radius: 14px; overflow: hidden; }
.sources li + li { border-top: 1px solid var(--line); }
.source { display: flex; width: 100%; min-height: 44px; align-items: center; gap: 10px; padding: 6px 12px; border: 0; background: none; text-align: start; font-size: 14px; line-height: 1.4; }
.source:hover { background: var(--tint); }
.source:focus-visible { outline-offset: -3px; border-radius: 14px; }
.source .number { flex: none; min-width: 20px; height: 20px; display: grid; place-items: center; border-radius: 7px; background: var(--tint); color: var(--strong); font-size: 12px; font-weight: 650; }
.source .name { flex: 1; min-width: 0; }
.source small { flex: none; }
.tools { display: flex; align-items: center; margin: -4px 0 0 -10px; }
.tools .icon svg { width: 19px; height: 19px; }
.tools .state { margin: 0 0 0 6px; }
.icon[aria-pressed="true"] { color: var(--strong); }
.icon[aria-pressed="true"] svg { fill: var(--tint); }
.comment { display: flex; gap: 8px; }
.comment input { flex: 1; }

.card { padding: 10px 14px; border-radius: 14px; background: var(--raised); }
.notice { display: flex; gap: 12px; }
.notice svg { margin-top: 2px; color: var(--strong); }
.problem { color: var(--bad); font-size: 14px; }
.problem.card { background: var(--bad-ground); }
.problem.state, .problem.card { display: flex; flex-wrap: wrap; align-items: center; gap: 0 12px; }
.visitor .problem.state { justify-content: flex-end; }
.link { min-height: 44px; padding: 0 4px; border: 0; background: none; color: var(--strong); font-weight: 600; font-size: 14px; text-decoration: underline; text-underline-offset: 3px; }

footer { flex: none; border-top: 1px solid var(--line); padding: 6px 12px calc(12px + env(safe-area-inset-bottom, 0px)); }
.bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0 10px; min-height: 44px; }
.bar .order { margin-inline-end: auto; }
.strip { display: flex; gap: 8px; padding: 6px 6px 2px; overflow-x: auto; }
.thumb { position: relative; flex: none; line-height: 0; }
.thumb canvas { width: 64px; height: 64px; border-radius: 12px; }
.thumb .remove { position: absolute; top: -10px; right: -10px; color: #fff; }
.thumb .remove svg { width: 20px; height: 20px; padding: 3px; border-radius: 50%; background: rgb(20 24 18 / .78); }
.line { display: flex; align-items: flex-end; gap: 2px; }
.bar small { font-size: 12px; line-height: 1.35; text-align: end; margin-inline-start: auto; }
.talk, .order { display: inline-flex; align-items: center; gap: 8px; min-height: 44px; padding: 0 12px 0 4px; border: 0; background: none; color: var(--strong); font-size: 14.5px; font-weight: 600; border-radius: 12px; white-space: nowrap; }
.talk:hover, .order:hover { background: var(--tint); }
.composer { padding: 4px; border: 1px solid var(--line); border-radius: 18px; background: var(--raised); }
.composer:focus-within { border-color: var(--strong); }
.composer textarea { flex: 1; min-width: 0; resize: none; border: 0; outline: 0; background: none; padding: 9px 4px 9px 4px; font-size: 16px; line-height: 26px; min-height: 44px; }
.composer:focus-within textarea:focus-visible { outline: 0; }
.composer:has(textarea:focus-visible) { outline: 2px solid var(--strong); outline-offset: -2px; }
textarea::placeholder, input::placeholder { color: var(--soft); opacity: 1; }
.send { background: var(--accent); color: var(--ink); border-radius: 14px; }
.send:hover { background: var(--accent); color: var(--ink); }
.send:disabled { background: none; color: var(--soft); cursor: default; opacity: .6; }

.panel { position: absolute; inset: 0; z-index: 1; display: flex; flex-direction: column; background: var(--ground); animation: rise .16s ease-out; }
.panel header { padding-inline-start: 6px; gap: 4px; }
.panel h2 { font-size: 16px; font-weight: 650; outline: 0; }
.panel .content { flex: 1; min-height: 0; display: flex; flex-direction: column; gap: 8px; padding: 16px 18px calc(18px + env(safe-area-inset-bottom, 0px)); overflow-y: auto; overscroll-behavior: contain; overflow-wrap: anywhere; }
.panel h3 { font-size: 17px; line-height: 1.45; }
.passage { margin-top: 6px; padding: 14px 16px; border-radius: 14px; background: var(--raised); white-space: pre-line; line-height: 1.75; }
mark { background: var(--mark); color: inherit; border-radius: 3px; padding: 1px 0; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.handoff { display: flex; flex-direction: column; gap: 8px; }
.handoff label { margin-top: 8px; font-size: 14px; font-weight: 600; }
.handoff input, .handoff textarea, .comment input { width: 100%; min-height: 44px; padding: 9px 12px; font-size: 16px; border: 1px solid var(--line); border-radius: 12px; background: var(--raised); }
.handoff textarea { resize: vertical; }
.primary, .small { min-height: 48px; padding: 0 20px; border: 0; border-radius: 14px; background: var(--accent); color: var(--ink); font-weight: 600; }
.primary { margin-top: 8px; }
.primary:disabled { opacity: .6; }
.small { min-height: 44px; padding: 0 14px; font-size: 14px; }

@media (max-width: 640px), (max-height: 480px) {
  .frame:not(.inline) { inset: var(--shift) 0 auto 0; width: auto; height: var(--room); border-radius: 0; box-shadow: none; }
  .frame:not(.inline) .main { padding-top: env(safe-area-inset-top, 0px); }
}
@keyframes rise { from { opacity: 0; transform: translateY(10px); } }
@keyframes bob { 50% { opacity: .3; transform: translateY(-2px); } }
@media (prefers-reduced-motion: reduce) { *, *::before { animation: none !important; transition: none !important; } }
@media (forced-colors: active) { .bubble, .badge, .chip, .send, .primary, .frame { border: 1px solid; } }
@media print { :host { display: none; } }
`;
