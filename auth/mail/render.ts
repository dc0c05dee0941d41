/**
 * The blocks of a mail, rendered as text and as HTML from one list, so that both say the same. The HTML loads nothing:
 * a remote image would tell its sender when somebody reads the mail. Everything in a block is plain text, which is
 * escaped here and nowhere else (V19, V43).
 *
 * @module
 */

/** One block of a mail. All its values are plain text. */
export type MailBlock =
  | { type: "heading"; text: string }
  | { type: "paragraph"; text: string }
  | { type: "facts"; rows: readonly (readonly [label: string, value: string])[] }
  | { type: "action"; label: string; link: string; otherwise: string }
  | { type: "code"; label: string; code: string; note: string }
  | { type: "footer"; text: string };

/** Longest line of text, in characters (RFC 3676 4.2 asks for less than 79). */
const WIDTH = 72;

/** Renders the blocks as text. The first link is that of the action. */
export function renderText(blocks: readonly MailBlock[]): string {
  return blocks.map(textOf).join("\n\n") + "\n";
}

function textOf(block: MailBlock): string {
  switch (block.type) {
    case "heading":
      return `${wrap(block.text)}\n${"=".repeat(Math.min(block.text.length, WIDTH))}`;
    case "paragraph":
      return wrap(block.text);
    case "facts":
      return block.rows.map(([label, value]) => `${label} ${value}`).join("\n");
    case "action":
      // The link is alone on its line, so that no mail program adds other text to it.
      return `${block.label}:\n${block.link}`;
    case "code":
      return `${wrap(block.label)}\n\n    ${block.code}\n\n${wrap(block.note)}`;
    case "footer":
      return `-- \n${wrap(block.text)}`;
  }
}

/** Breaks lines at plain spaces only, never at a no-break space. */
function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== "" && last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.join("\n");
}

const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const INK = "#1c2430", FAINT = "#5b6675", LINE = "#dfe4ea", PAGE = "#f3f5f8", PAPER = "#ffffff", ACCENT = "#1f5fd0";

/** Dark colours, for mail programs that support them. The inline styles alone give a complete, light mail. */
const DARK = [
  ".page{background:#12161c!important}",
  ".paper{background:#1b222c!important;border-color:#313b48!important}",
  ".ink{color:#e8ecf1!important}",
  ".faint{color:#a4afbd!important}",
  ".box{background:#26303c!important;color:#e8ecf1!important}",
].join("");

/** Renders the blocks as HTML with tables and inline styles, which old mail programs support too. */
export function renderHtml(blocks: readonly MailBlock[], language: string, title: string): string {
  const inside = blocks.filter((block) => block.type !== "footer").map(htmlOf).join("\n");
  const below = blocks.filter((block) => block.type === "footer").map(htmlOf).join("\n");
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(title)}</title>
<style>@media (prefers-color-scheme:dark){${DARK}}</style>
</head>
<body class="page" style="margin:0;padding:0;background:${PAGE}">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:${PAGE}">
<tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="560" cellpadding="0" cellspacing="0" style="width:100%;max-width:560px">
<tr><td class="paper" style="background:${PAPER};border:1px solid ${LINE};border-radius:12px;padding:32px">
${inside}
</td></tr>
<tr><td align="center" style="padding:16px 32px">
${below}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

function htmlOf(block: MailBlock): string {
  switch (block.type) {
    case "heading":
      return `<h1 class="ink" style="margin:0 0 20px;${FONT};font-size:24px;line-height:32px;color:${INK}">${
        escapeHtml(block.text)
      }</h1>`;
    case "paragraph":
      return paragraph(escapeHtml(block.text), "ink", `font-size:16px;line-height:25px;color:${INK}`);
    case "facts":
      return `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 20px">\n${
        block.rows.map(factHtml).join("\n")
      }\n</table>`;
    case "action":
      return actionHtml(escapeHtml(block.label), escapeHtml(block.link), escapeHtml(block.otherwise));
    case "code":
      return paragraph(escapeHtml(block.label), "ink", `font-size:16px;line-height:25px;color:${INK}`) +
        `\n<p class="box" style="margin:0 0 12px;padding:14px 0;background:${PAGE};border-radius:8px;text-align:center;` +
        `font-family:Consolas,Menlo,monospace;font-size:28px;line-height:34px;letter-spacing:4px;color:${INK}">${
          escapeHtml(block.code)
        }</p>\n` +
        paragraph(escapeHtml(block.note), "faint", `font-size:14px;line-height:21px;color:${FAINT}`);
    case "footer":
      return paragraph(escapeHtml(block.text), "faint", `font-size:13px;line-height:20px;color:${FAINT}`);
  }
}

function paragraph(html: string, name: string, style: string): string {
  return `<p class="${name}" style="margin:0 0 20px;${FONT};${style}">${html}</p>`;
}

function factHtml([label, value]: readonly [string, string]): string {
  const cell = `${FONT};font-size:14px;line-height:22px;vertical-align:top`;
  return `<tr><td class="faint" style="padding:2px 16px 2px 0;${cell};color:${FAINT};white-space:nowrap">${
    escapeHtml(label)
  }</td><td class="ink" style="padding:2px 0;${cell};color:${INK};word-break:break-word">${
    escapeHtml(value)
  }</td></tr>`;
}

/** The cell has its colour as attribute and as style: old mail programs read the first, new ones the second. */
function actionHtml(label: string, link: string, otherwise: string): string {
  return `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 16px"><tr>` +
    `<td bgcolor="${ACCENT}" style="background:${ACCENT};border-radius:8px">` +
    `<a href="${link}" style="display:inline-block;padding:13px 28px;${FONT};font-size:16px;line-height:22px;` +
    `font-weight:600;color:#ffffff;text-decoration:none">${label}</a></td></tr></table>\n` +
    paragraph(
      `${otherwise}<br><span style="word-break:break-all">${link}</span>`,
      "faint",
      `font-size:13px;line-height:20px;color:${FAINT}`,
    );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
