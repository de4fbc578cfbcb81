// What somebody hostile sends: each of it stays text. As names, tags, values, members of sets, texts of events, and names of sessions.
export const WICKED = ['<img src=x onerror=alert(1)>', '<script>alert(1)</script>', '"><svg onload=alert(1)>', "'-alert(1)-'", 'javascript:alert(1)',
  '{{7*7}}', '${7*7}', '\u202egnp.exe', '\u2067\u2066abc\u2069', '\u05d0\u05d1.abc', '&lt;b&gt;', '<b>bold</b>', '</title><script>alert(1)</script>', '%3Cscript%3E', '../../etc/passwd',
  '__proto__', 'constructor', 'a b', '#/sessions', '?session=x', 'é\u0301\u200b', '*', '?', '\\', '"', "'", '`', '<!--', ']]>', '<iframe src=//evil>', '<a href=x>y',
  '\u0001\u0007\u001b[31m', '\u007f\u0085', 'x'.repeat(5000), 'long'.repeat(2560), '𝒳', '<style>*{display:none}</style>', 'onclick=alert(1)', 'data:text/html,x',
  '<math><mi//xlink:href="x">', '\ufeffbom', '//evil.example', 'NULL', 'undefined'];

// The same in bytes that are not UTF-8.
export const RAW = ['<b>\xff\xfe</b>:1|c|#k\xff:<i>\xc0\xaf', 'raw.set:\xf0\x28<b>|s', '_e{6,6}:\xff<b>\xfe:|\xed\xa0\x80<b>', 'raw.bad:\xff<b>|g', '\xc3\x28|zz', '_sc|\xff<b>|1|m:\xfe']
  .map((text) => Buffer.from(text, 'latin1'));

// Names of files: all bytes but 0 and / may stand in them.
export const PATHS = ["<img src=x onerror=alert(1)>'&quot;", '\u202egnp.exe', '\u0001\u001b[31m\n', '%3Cb%3E#?&', 'x'.repeat(200), '<b>\xff\xfe\xc3\x28'];
