"""The catalogue of diagnostics: what each code means, and how to correct it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of diagnostic: a title, a paragraph, and a small example of what is wrong and what is right."""

    title: str
    text: str
    example: str


_CODES = {
    # Files and YAML.
    "E101": Code(
        "A file is missing or cannot be read",
        "The manifest, a prompt file or a schema file is not where the path leads, or may not be read. Paths in a "
        "manifest are relative to the manifest itself, not to the current folder; ~ is not expanded.",
        "prompts:\n  - {file: prompts/mood.j2}     # beside the manifest: prompts/mood.j2",
    ),
    "E102": Code(
        "The text is not YAML (or not JSON, in a schema file)",
        "Reading stopped at this place, so nothing after it was looked at. Most often a text with a colon, a quote, "
        "a bracket or {{ has no quotes around it, or a line is indented otherwise than its neighbours.",
        'wrong:  text: Macro: the {{ product }}\nright:  text: "Macro: the {{ product }}"',
    ),
    "E103": Code(
        "A key is given twice",
        "YAML would silently keep one of the two values. Keep the one that is meant. A key that stands beside a "
        "merge (<<) is no duplicate: it wins over the merged one.",
        "wrong:  takes: 2\n        takes: 3\nright:  takes: 3",
    ),
    "E104": Code(
        "The file is not UTF-8",
        "Manifests and prompt files are UTF-8, with or without a byte-order mark. So are tables, or UTF-16, unless "
        "their entry says encoding: cp1252, or another one. In a spreadsheet choose the export named CSV UTF-8.",
        "images:\n  - {table: products.csv, encoding: cp1252}",
    ),
    "E105": Code(
        "Too large, too deep, or too many aliases",
        "A manifest has at most 20 MB and 100 levels, and its aliases stand for at most 250,000 values; a table has at "
        "most 20 MB, a prompt file or a schema 1 MB; a glob looks at 250,000 files and folders at most. The limits "
        "keep a broken or hostile file from filling the memory. Split the file, or write the values out.",
        "wrong:  a: &a [x, x]\n        b: &b [*a, *a]     # and so on: each line doubles the last",
    ),
    "E106": Code(
        "A value that JSON does not have",
        "Requests are JSON, and JSON has no dates, no binary data, no sets, no NaN or infinity, no integers of more "
        "than 64 bits, and no keys but text. Where text was meant, put it in quotes.",
        'wrong:  season: 2024-05-01\nright:  season: "2024-05-01"',
    ),
    "E107": Code(
        "A file outside the manifest's folder",
        "Prompts, tables and schemas lie below the folder of the manifest, once links are followed, so that a manifest "
        "of somebody else cannot send files of yours. Move the file there, or name its folder with --allow-outside, "
        "which may be repeated. Pictures may lie anywhere but below /proc, /sys and /dev.",
        "reelrun validate campaign.yaml --allow-outside ../shared",
    ),
    "E108": Code(
        "The key of the service stands in a file",
        "What a manifest, its prompts, tables and schemas say is sent, stored, shown and committed to git, and the key "
        "(GMI_API_KEY) must be in none of that. Take it out; the environment is the only place for it. If it was "
        "committed or sent before, make a new key.",
        "wrong:  vars: {token: sk-...}\nright:  export GMI_API_KEY=sk-...",
    ),
    # The structure of the manifest, and the payload.
    "E201": Code(
        "An unknown key",
        "The key is not one of those that may stand here. It may be misspelled, or belong in another section: "
        "parameters of the model stand under params, limits under budget.",
        'wrong:  duration: "5"\nright:  params: {duration: "5"}',
    ),
    "E202": Code(
        "A key is missing",
        "The section cannot be read without this key. A manifest needs version, model, images and prompts; a prompt "
        "in text and a picture in Base64 need an id.",
        'wrong:  - {text: "The shoe"}\nright:  - {id: plain, text: "The shoe"}',
    ),
    "E203": Code(
        "Not one of the allowed values",
        "The value has the right type, and is not one of the few that are allowed here. Spelling and capitals count.",
        'wrong:  params: {duration: "7"}\nright:  params: {duration: "5"}',
    ),
    "E204": Code(
        "The wrong type",
        "A text, a number, a list or a mapping stands where another of them is needed. YAML decides by the looks: 5 "
        'is a number and "5" a text; no, on and yes are truth values; 1e3 is a text, 1000.0 a number.',
        'wrong:  params: {duration: 5}\nright:  params: {duration: "5"}',
    ),
    "E205": Code(
        "Out of range",
        "The number is below the least or above the most that is allowed.",
        "wrong:  params: {cfg_scale: 7}\nright:  params: {cfg_scale: 0.7}",
    ),
    "E206": Code(
        "Too long or too short",
        "A text has too many or too few characters, or a list too many or too few values. Prompts have at most 2500 "
        "characters after rendering.",
        "wrong:  matrix: {surface: []}\nright:  matrix: {surface: [wet rock]}",
    ),
    "E207": Code(
        "The wrong form",
        "The text does not follow the pattern that is asked for: a duration such as 90s or 1h30m, a name of "
        "letters, digits and _, a currency of three capitals.",
        "wrong:  run: {wait: half an hour}\nright:  run: {wait: 30m}",
    ),
    "E208": Code(
        "Exactly one of several keys is needed",
        "These keys exclude each other, or one of them has to be there: a picture is a file, a glob, a url, a table "
        "or base64; a prompt is text or a file; a price is per job or per second.",
        "wrong:  - {file: shoe.jpg, url: https://example.com/shoe.jpg}\nright:  - {file: shoe.jpg}",
    ),
    "E209": Code(
        "No schema for the model",
        "A model is known by a JSON Schema of its payload, which tells what can be sent. Names of models are case-"
        "sensitive. For a model that does not ship, name a schema file under models: draft 2020-12, at most 1 MB, and "
        "no more than 100,000 places with every $ref written out.",
        "model: my-model\nmodels: {my-model: schemas/my-model.schema.json}",
    ),
    "E210": Code(
        "An id or a name is given twice",
        "Ids name pictures and prompts in keys, in file names and in exclude, so each may stand once. The default "
        "id of a file is its name without the ending: two folders with a shoe.jpg give the same id.",
        "right:  - {file: front/shoe.jpg, id: shoe-front}\n        - {file: back/shoe.jpg, id: shoe-back}",
    ),
    # Templates.
    "E301": Code(
        "A template cannot be parsed",
        "The text is not a Jinja2 template: a {{ or {% is not closed, a }} or %} closes nothing, an expression is "
        "incomplete, or there is no filter of that name.",
        'wrong:  text: "The {{ product on rock"\nright:  text: "The {{ product }} on rock"',
    ),
    "E311": Code(
        "An unknown variable",
        "A template names a variable that no axis, picture or constant sets. An undefined variable would leave a "
        "hole in the prompt; where that is meant, say so with default or is defined.",
        'text: "The {{ product | default("shoe") }}"',
    ),
    "E312": Code(
        "A name is set twice",
        "A variable comes from two places (an axis, a picture's vars, the constants), or has a name that templates "
        "use already: image, prompt, model, take or name. Rename one of the two.",
        "wrong:  vars: {surface: rock}\n        matrix: {surface: [sand, snow]}",
    ),
    "E313": Code(
        "A template fails while it is rendered",
        "The template is well formed, and its expression cannot be computed for this job: a filter got a value of "
        "the wrong type, something was divided by zero, or it asks for what the sandbox does not give.",
        'wrong:  cfg_scale: "{{ price / 0 }}"',
    ),
    "E314": Code(
        "A template is too long or takes too much",
        "A render ends after two seconds, a text at a million characters, and planning at 1 GiB, so that a loop "
        "without an end stops. Make the loop shorter, or write the text out.",
        'wrong:  text: "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}"',
    ),
    "E315": Code(
        "A template's value is not JSON",
        "A template that is one expression keeps the type of its value, and this value has no form in JSON: a "
        "function, infinity, NaN. Turn it into a text, a number or a list.",
        'wrong:  style: "{{ name.upper }}"\nright:  style: "{{ name.upper() }}"',
    ),
    "E316": Code(
        "A text cannot hold this value",
        "Between other words a template puts texts and numbers. A list, a mapping, true, false, none or a function "
        "would be written as Python writes it, and nobody means that in a prompt.",
        'wrong:  text: "A shoe in {{ colours }}"\nright:  text: "A shoe in {{ colours | join(", ") }}"',
    ),
    "E317": Code(
        "Braces in a value",
        "A value of the matrix, of a picture or of a table is put into texts as it is. Templates in it are not "
        "rendered: their braces would be sent. Write the template into the prompt, into params or into a constant.",
        'wrong:  matrix: {surface: ["{{ season }} grass"]}\nright:  text: "A shoe on {{ season }} {{ surface }}"',
    ),
    "E318": Code(
        "Rendering takes too long",
        "After a few seconds the time for all cells is estimated from those that are rendered, and it would be more "
        "than ten minutes. Make the templates simpler or the sweep smaller; validate --slow waits for all of it.",
        'wrong:  text: "{% for i in range(99999) %}{% if loop.last %}x{% endif %}{% endfor %}"',
    ),
    "E319": Code(
        "Constants need each other",
        "A constant may be made from others, and these are made from each other. Give one of them a text of its own.",
        'wrong:  vars: {a: "{{ b }}", b: "{{ a }}"}\nright:  vars: {a: "{{ b }}", b: wet rock}',
    ),
    "E320": Code(
        "No number where one is needed",
        "The filters float and int make a number of a text, and this text is none: 0,7 has a comma, 5s a unit, and an "
        "empty cell nothing. Write a plain number there; or say in the template what counts instead.",
        "wrong:  cfg: 0,7\nright:  cfg: 0.7\nor:     {{ cfg | float(0.5) }}",
    ),
    "E323": Code(
        "A portable value that a model does not offer",
        "What stands under video is translated into the words of each model. This model has none for the value; the "
        "hint names the nearest one that it has. Give another value, or params of its own to the model.",
        "video: {resolution: 720p}\nmodels: {ltx-2-fast-image-to-video: {params: {resolution: 1920x1080}}}",
    ),
    # Pictures.
    "E401": Code(
        "A picture is missing or cannot be read",
        "There is no regular file at this path, it may not be read, or its address does not answer. Paths are "
        "relative to the manifest.",
        "images:\n  - {file: images/shoe.jpg}",
    ),
    "E402": Code(
        "Not a JPEG or PNG",
        "The content decides, not the name: a WebP picture that was renamed to .jpg is still WebP, and the service "
        "refuses it. Save it as JPEG or PNG; reelrun fix-pictures does that for WebP, HEIC, TIFF and others.",
        "reelrun fix-pictures campaign.yaml",
    ),
    "E403": Code(
        "A picture has too many bytes",
        "The API takes at most 10 MB (10,485,760 bytes) a picture. Save it with fewer pixels, or as JPEG.",
        "magick big.png -resize 2000x2000 big.jpg",
    ),
    "E404": Code(
        "A side of a picture is too short",
        "Both sides need at least 300 px. That is the least; sharp pictures well above it make better videos.",
        "wrong:  280 x 400 px\nright:  1280 x 1829 px",
    ),
    "E405": Code(
        "The aspect ratio of a picture is too extreme",
        "The API takes pictures between 1:2.5 and 2.5:1, width to height. Crop the picture, or extend its background.",
        "wrong:  3000 x 1000 px (3:1)\nright:  2500 x 1000 px (2.5:1)",
    ),
    "E406": Code(
        "A picture is damaged",
        "The file begins like a JPEG or PNG, and its structure is broken or ends too early, as after an interrupted "
        "download. Copy it anew, or save it again in an image editor.",
        "cp -p originals/shoe.jpg images/shoe.jpg",
    ),
    "E407": Code(
        "A picture has too many pixels",
        "A small file can unpack to gigabytes. More than 178 million pixels are refused before anything is decoded.",
        "magick huge.png -resize 4000x4000 huge.jpg",
    ),
    "E408": Code(
        "A glob matches nothing",
        "No file fits the pattern. Patterns are relative to the manifest; * does not cross folders, ** does; names "
        "that begin with a dot are left out.",
        'images:\n  - {glob: "images/**/*.png"}',
    ),
    "E409": Code(
        "A table cannot be used",
        "A table is CSV with commas, semicolons or tabs (found out by themselves, or told by a first line sep=;), a "
        "workbook (.xlsx), or JSON lines. Its first line names the columns, one of them image; every row has as many "
        "cells, and an image. In JSON lines each line is an object, and its members are the columns.",
        "image;id;product\nimages/shoe.jpg;shoe;trail shoe",
    ),
    "E411": Code(
        "Not Base64",
        "Inline pictures are the bare Base64 of the file, on one line, without a data: prefix and without spaces.",
        "base64 -w0 shoe.png",
    ),
    "E412": Code(
        "An address cannot be used",
        "The service fetches the picture from an http or https address by itself. Addresses with user names or "
        "passwords are refused, as they would be stored. An address in a bucket (s3://BUCKET/PATH) stands where a file "
        "would, and only for pictures, videos, sounds and tables.",
        'images:\n  - {url: "https://example.com/bag.jpg"}',
    ),
    "E413": Code(
        "An encoding that does not fit the table",
        "The encoding of a table has a name that Python knows, such as cp1252 (older spreadsheets on Windows), and is "
        "needed only where the table is neither UTF-8 nor UTF-16. Where the table says itself that it is one of these, "
        "another encoding would garble every special character.",
        "images:\n  - {table: products.csv, encoding: cp1252}",
    ),
    "E414": Code(
        "A path that nothing expands",
        "A manifest means the same for everybody, so ~, $NAME, ${NAME}, %NAME%, drive letters and \\ have no meaning "
        "in its paths. A folder of that name would be made. Write the path from the manifest, or from the root of the "
        "disk; --output names another output folder for one machine. What is really called so is written ./~ .",
        "wrong:  output: {dir: ~/videos}\nright:  output: {dir: ../videos}",
    ),
    "E415": Code(
        "A workbook cannot be used",
        "Workbooks are .xlsx files, read with openpyxl (the extra excel). The sheet has to be there, and every cell of "
        "a row needs a value: a formula has one once its program has computed and saved it, and an error such as #N/A "
        "is none. Old workbooks (.xls) and OpenDocument sheets are saved as .xlsx first, or as CSV UTF-8.",
        "images:\n  - {table: products.xlsx, sheet: Spring}",
    ),
    "E416": Code(
        "A medium that cannot be sent like that",
        "A parameter that takes a video or a sound takes the path of a file, or an address, and no Base64.",
        'wrong:  params: {first_clip: "AAAAIGZ0eXBpc29t..."}\nright:  params: {first_clip: clips/first.mp4}',
    ),
    "E417": Code(
        "A video or a sound of another length or frame rate than the model takes",
        "The schema of the model says how long it may be (minSeconds, maxSeconds) and how many frames a second it may "
        "have (minFps, maxFps).",
        "ffmpeg -i long.mp3 -t 30 driving.mp3",
    ),
    "E418": Code(
        "A file that cannot be uploaded",
        "The model takes addresses only, and the store of the service takes JPEG, PNG, MP4, WAV and MP3. Save the file "
        "as one of these, or name an address where it lies already.",
        "wrong:  images: [{file: shoe.webp}]     # for a model that takes addresses only\n"
        "right:  images: [{file: shoe.jpg}]",
    ),
    "E421": Code(
        "A bucket that cannot be used",
        "Pictures and tables may lie in buckets (s3://, gs://, az://), and uploads may go to one. That needs the extra "
        "cloud, credentials where the tools of the provider look for them, and a store that answers. Credentials never "
        "stand in a manifest.",
        "pip install '.[cloud]'\nexport AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... AWS_REGION=eu-central-1",
    ),
    # The matrix.
    "E501": Code(
        "A zip does not fit",
        "Zipped axes advance together, so each of them has as many values as the others, and is an axis of the matrix.",
        "matrix:\n  surface: [rock, sand]\n  camera: [static, orbit left]\n  zip: [[surface, camera]]",
    ),
    "E502": Code(
        "exclude names an unknown key",
        "An exclude matches on axes of the matrix, and on image, prompt and model. A misspelled key would exclude "
        "nothing, and cost money.",
        "wrong:  exclude: [{surfce: sand}]\nright:  exclude: [{surface: sand}]",
    ),
    "E503": Code(
        "include names image, prompt or model",
        "An include adds variables to variants, or a variant of its own. Pictures, prompts and models stand outside "
        "the matrix: every variant is made with each of them; leave some out with exclude.",
        "wrong:  include: [{image: shoe, cfg: 0.5}]\nright:  include: [{cfg: 0.5}]",
    ),
    "E504": Code(
        "Nothing is left to do",
        "The excludes leave no combination of picture, prompt and variant, so that there is no job. Exclude less, or "
        "add what is meant with include.",
        "wrong:  surface: [sand]\n        exclude: [{surface: sand}]",
    ),
    "E505": Code(
        "The product of the matrix is too large",
        "The number of combinations is computed before anything is expanded; more than 5,000,000 are refused. Use "
        "zip for axes that belong together, or fewer values.",
        "matrix:\n  zip: [[surface, camera]]",
    ),
    "E507": Code(
        "More jobs than the budget allows",
        "budget.max_jobs (1000 unless it is given) limits distinct jobs. Raise it if the number is meant, or draw a "
        "sample.",
        "budget: {max_jobs: 5000}\nmatrix:\n  sample: {count: 20}",
    ),
    "E508": Code(
        "A prompt for a picture that is not there",
        "The images of a prompt are ids of pictures, or patterns of ids, as they stand in keys: not paths. A "
        "misspelled one would leave the picture out.",
        'prompts:\n  - {id: plain, text: "A shoe, slow push-in", images: [shoe, bag-*]}',
    ),
    "E509": Code(
        "An empty line in a file of values",
        "Each line of the file of an axis is one value, always a text. An empty line would be a value, too, and make "
        "jobs with a hole in their prompt.",
        "matrix:\n  camera: {file: cameras.txt}     # slow push-in\n                                  # orbit left",
    ),
    "E510": Code(
        "A file that holds no defaults",
        "The file under defaults is a mapping with keys of a manifest, without version and without defaults of its "
        "own. Its mappings are merged with those of the manifest; lists and single values of the manifest win whole.",
        "defaults: shared.yaml     # shared.yaml: params: {negative_prompt: blurry}",
    ),
    "E511": Code(
        "Pictures for a model that takes none",
        "The manifest has images, and this model makes its video from the text alone. Say that it gets none of them; "
        "then its jobs are made once, and not for each picture.",
        "models: {vidu-q3-pro-t2v: {images: none}}",
    ),
    "E512": Code(
        "A model that needs a picture, and gets none",
        "Its schema requires a picture, and neither images nor params give one.",
        "images: [{file: images/shoe.jpg}]",
    ),
    "E513": Code(
        "A picture is given twice",
        "The images of the manifest fill the first picture of a model, and params give the same parameter.",
        "models: {kling-v3-image-to-video: {images: none, params: {image: images/shoe.jpg}}}",
    ),
    # Measures.
    "E530": Code(
        "An unknown measure",
        "A threshold of a defect names a measure that there is not. reelrun measure --help lists all and their units.",
        'measures: {defects: ["frozen > 0.3", "flash >= 1"]}',
    ),
    # Output.
    "E601": Code(
        "An output path that is not allowed",
        "The text of output.file may not hold .., be absolute, or have empty segments: videos stay below videos/ in "
        "the output folder.",
        'wrong:  file: "../{{ image.id }}"\nright:  file: "{{ image.id }}/{{ take }}"',
    ),
    "E602": Code(
        "Two jobs with one output path",
        "output.file renders to the same path for different jobs, also when only capitals differ. Add what tells "
        "them apart: a variable of the matrix, or the take.",
        'file: "{{ image.id }}/{{ prompt.id }}-{{ surface | slug }}-{{ take }}"',
    ),
    # Warnings. Each can be switched off in the manifest: lint: {ignore: [W801]}.
    "W331": Code(
        "An axis that no template uses",
        "An axis multiplies the jobs. Where no prompt, parameter or output.file names it, each of its values makes the "
        "same requests again: a template should use it, or it can go. Being named in exclude or include is no use.",
        'wrong:  prompts: [{id: plain, text: "The shoe, slow push-in"}]\n        matrix: {surface: [rock, sand]}\n'
        'right:  prompts: [{id: plain, text: "The shoe on {{ surface }}, slow push-in"}]',
    ),
    "W332": Code(
        "A variable that no template uses",
        "A constant, a variable of a picture, or one that an include adds stands in no prompt, parameter or "
        "output.file. It is forgotten, or missing in a template. Columns of tables are exempt: tables are made by "
        "others, and have more columns than one campaign needs.",
        'wrong:  vars: {season: spring}\n        prompts: [{id: plain, text: "The shoe, slow push-in"}]\n'
        'right:  prompts: [{id: plain, text: "The shoe in {{ season }}, slow push-in"}]',
    ),
    "W341": Code(
        "A value that a comment cuts",
        "In YAML, # after a blank begins a comment, so that a plain value ends there: colour #ff0000 is colour. Quotes "
        "keep all of it. A comment that is meant has a blank after its sign, or more than one before it.",
        'wrong:  text: The shoe in colour #ff0000\nright:  text: "The shoe in colour #ff0000"',
    ),
    "W342": Code(
        "A number that a text holds in another spelling",
        "YAML reads 1.10 as the number 1.1, 0x1F as 31 and 1_000 as 1000, and a template puts the number into the "
        "text. Quotes keep it as it is written. A parameter that is the number alone is not affected.",
        'wrong:  vars: {version: 1.10}\nright:  vars: {version: "1.10"}',
    ),
    "W343": Code(
        "A placeholder that nothing fills",
        "Other tools write variables as {name}, {a|b}, __name__, ${NAME}, $NAME, <name>, [[name]] or %(name)s. Here "
        "they are plain text, and would be sent as they stand: a variable is {{ name }}, and a choice is an axis. Tags "
        "that the model's schema has in the description or the examples of the parameter are not told.",
        "wrong:  text: A {colour} shoe\nright:  text: A {{ colour }} shoe",
    ),
    "W344": Code(
        "A gap where a variable is empty",
        "A variable of the text has no value for some picture or variant, and what is around it does not fit together "
        "any more: two blanks, two commas, the same word twice, or brackets around nothing.",
        'wrong:  text: "The {{ material }} shoe"\nright:  text: "The {% if material %}{{ material }} {% endif %}shoe"',
    ),
    "W345": Code(
        "A picture that no prompt is for",
        "Every prompt has images, and this picture is in none of them: nothing is made with it.",
        "wrong:  images: [{file: shoe.jpg}, {file: bag.jpg}]\n        prompts: [{file: calm.j2, images: [shoe]}]\n"
        "right:  prompts: [{file: calm.j2, images: [shoe, bag]}]",
    ),
    "W411": Code(
        "Blanks around a cell of a table",
        "Cells are taken as they are, so a blank at the end of one stands in the prompt, and makes it another request "
        "than without. Delete it in the table, or take it off in the template. Cells of image and id are trimmed.",
        'text: "The {{ product | trim }} on wet rock"',
    ),
    "W412": Code(
        "A name that is not the column's",
        "The table has a column with a name that every template has already: model, take and name. {{ name }} is the "
        "name of the manifest, not the cell; the cell is reached through row.",
        'wrong:  text: "The {{ name }}"\nright:  text: "The {{ row["name"] }}"',
    ),
    "W413": Code(
        "A glob leaves out files that are nearly named so",
        "Beside the files that match there are some whose names differ in capitals alone, or have another ending of "
        "the same kind of picture: IMG_2.JPG and c.jpeg beside *.jpg. Capitals count; braces take several endings.",
        'wrong:  glob: "images/*.jpg"\nright:  glob: "images/*.{jpg,JPG,jpeg}"',
    ),
    "W414": Code(
        "A picture that is turned by a note in it",
        "Phones save pictures as the sensor saw them, with a note (EXIF) how to turn them. Programs for people heed "
        "it; whether the service does is not known, and it may make a video that lies on its side. Width and height "
        "are those that people see. reelrun fix-pictures writes upright copies.",
        "reelrun fix-pictures campaign.yaml",
    ),
    "W415": Code(
        "A picture with transparent parts",
        "A video has no transparency. What the service puts behind the picture is not known: black, white or noise. "
        "reelrun fix-pictures writes copies on white; for another background, put the picture on it.",
        "reelrun fix-pictures campaign.yaml",
    ),
    "W416": Code(
        "A picture in the colours of print (CMYK)",
        "Many programs show such a picture with wrong or inverted colours, and the service may, too. "
        "reelrun fix-pictures writes copies in sRGB.",
        "reelrun fix-pictures campaign.yaml",
    ),
    "W417": Code(
        "A picture of 16 bits a channel",
        "Video has 8 bits a channel, and such a picture is twice as large as it needs to be; the service may refuse "
        "it. reelrun fix-pictures writes copies of 8 bits.",
        "reelrun fix-pictures campaign.yaml",
    ),
    "W418": Code(
        "An animated picture",
        "The file holds several pictures one after the other (APNG). The service starts from one picture, most likely "
        "the first. reelrun fix-pictures writes a copy of the first.",
        "reelrun fix-pictures campaign.yaml",
    ),
    "W419": Code(
        "A picture with further pictures in it",
        "Phones put further pictures into a photo: a gain map for HDR screens (Ultra HDR), or a preview. The service "
        "sees the first alone, which may look flatter than on the phone, or refuses it. reelrun fix-pictures writes "
        "copies of the first.",
        "reelrun fix-pictures campaign.yaml",
    ),
    "W421": Code(
        "Files that would be put where others can read them",
        "A model takes addresses only, so its local files are uploaded to the store of the service, where everybody "
        "who has the address can read them. Say that this is fine with uploads, or with run --allow-uploads; a run "
        "asks on a terminal, and ends with 4 elsewhere.",
        "uploads: {to: service, when: needed}",
    ),
    "W511": Code(
        "An exclude that matches nothing",
        "The entry names a value that is not on its axis, or values of zipped axes that never meet, so that it leaves "
        'nothing out. Values are compared with their type: 1 equals 1.0, but neither "1" nor true. Exclude comes '
        "before include, so it does not reach what an include adds.",
        "wrong:  matrix: {surface: [wet rock], exclude: [{surface: wet rocks}]}\n"
        "right:  matrix: {surface: [wet rock], exclude: [{surface: wet rock}]}",
    ),
    "W512": Code(
        "An include that does nothing",
        "An include adds its further variables to every combination that it fits, and makes a new one where it fits "
        "none. This one fits, and has nothing to add, or other includes set all that it adds.",
        "wrong:  matrix: {surface: [rock, sand], include: [{surface: rock}]}\n"
        "right:  matrix: {surface: [rock, sand], include: [{surface: rock, light: dusk}]}",
    ),
    "W521": Code(
        "Cells that come out equal",
        "Two cells of the sweep render to the same request, so they are one job, bought once, with two keys. Often a "
        "variable is missing in the prompt, two arms say the same, or a picture or a value stands there twice.",
        "wrong:  cfg: [0.5, 0.50]\nright:  cfg: [0.5, 0.7]",
    ),
    "W522": Code(
        "A portable parameter that a model does not have",
        "video gives one name to what every model calls otherwise. This model has no parameter for it, so it is left "
        "out of its requests, and the model does as it likes.",
        'video: {aspect_ratio: "16:9"}     # the ratio of a model that begins with a picture is that of the picture',
    ),
    "W523": Code(
        "A parameter that the page of the model is not clear about",
        "The vendor's page contradicts itself there, or the copy that the schema was made from is not whole. The "
        "schema accepts every reading, and the service may not. Try it with one job before the others.",
        "reelrun run campaign.yaml --first 1",
    ),
    "W541": Code(
        "Retakes above the limit on jobs",
        "max_jobs limits the jobs of a plan, and retakes are jobs, too. Those above it are told and not planned; the "
        "takes that the manifest has go before them, and so do retakes that were bought before.",
        "budget: {max_jobs: 500}\nretake: {rejected: true, most: 3}",
    ),
    "W542": Code(
        "Picks of a reviewer who has said nothing",
        "review.picks names a reviewer, and there is no file of that name beside the files of other reviewers, so that "
        "no clip is picked. The words any, all, majority and votes are rules; any other text is a reviewer.",
        "wrong:  review: {picks: anne}     # the file is campaign.verdicts/ann.jsonl\nright:  review: {picks: ann}",
    ),
    "W701": Code(
        "A limit on cost without a price",
        "max_cost can only be kept when it is known what a job costs: as long as the price of one is not known, a run "
        "ends with 4 and sends nothing. State price_per_job or price_per_second.",
        "budget: {max_cost: 40, price_per_job: 0.25}",
    ),
    # Lints, from the tips of the vendor.
    "W801": Code(
        "A prompt without motion",
        "The prompt has no word for a motion or for the camera. A video is made of both: say what moves and how the "
        "camera moves, or that it is static. English words are known, and the camera in a few other languages; prompts "
        "in other scripts are not judged.",
        "wrong:  text: The shoe on wet rock\nright:  text: The shoe on wet rock, rain drips off, slow push-in",
    ),
    "W802": Code(
        "A picture close to the minimum",
        "The short side of the picture is less than one and a half times the least that the model takes. Sharp "
        "pictures with a high resolution, well above the minimum, make better videos.",
        "wrong:  400 x 400 px, where 300 px are the minimum\nright:  1280 x 1280 px",
    ),
    "W803": Code(
        "A value outside the advised ranges",
        "The vendor advises ranges for this parameter, each for a purpose, and the value lies in none: cfg_scale is "
        "0.3 to 0.5 for creative videos, and 0.7 to 1 where the prompt is to be followed strictly. A model's schema "
        "holds these ranges under x-tips.",
        "wrong:  params: {cfg_scale: 0.6}\nright:  params: {cfg_scale: 0.7}",
    ),
    "W804": Code(
        "An empty negative prompt",
        "The model takes a negative prompt, and the request has none. Name the unwanted things there, rather than in "
        "the prompt. A parameter with the value null is left out on purpose, so there is no warning about it.",
        'right:  params: {negative_prompt: "blurry, distorted, text, watermark"}',
    ),
    "W805": Code(
        "A long video from a short prompt",
        "The longest video that the model makes is asked for with five words or fewer. Long videos are for complex "
        "scenes; short ones are better, and cheaper, for quick ideas.",
        'wrong:  text: "Slow push-in"\n        params: {duration: "10"}\nright:  params: {duration: "5"}',
    ),
    "W806": Code(
        "Prompts that differ in white space alone",
        "Two prompts for one picture have the same words, with other spaces or line ends between them. To the service "
        "they are two requests, each paid for. Only the first 10,000 prompts are compared.",
        'wrong:  - {id: a, text: "The shoe, slow push-in"}\n        - {id: b, text: "The shoe,  slow push-in"}',
    ),
    "W807": Code(
        "A request of nothing",
        "The request has no picture, and its text is empty. Some models take that, make a video of their own choice, "
        "and charge for it.",
        "wrong:  text: \"{{ shot }}\"          (shot is empty in this cell)\nright:  matrix: {exclude: [{shot: ''}]}",
    ),
    # Warnings of the reader.
    "W901": Code(
        "YAML reads a value otherwise than it looks",
        "no, on and yes are truth values, 017 is octal, 1:30 is 90, and 1e3 and 08 are texts. Any value is allowed "
        "here, so nothing tells which was meant. Quotes make it text; true, false or the plain number say the "
        "other.",
        'matrix: {lights: ["on", "off"]}',
    ),
    "W902": Code(
        "A column of a table is left out",
        "The column has cells and no name, so that no template can name it. Any other column is reached, whatever its "
        "name, through row.",
        'text: "The {{ row["Product Name"] }}"',
    ),
    "W903": Code(
        "An axis that looks like a keyword",
        "Every key of the matrix but include, exclude, zip and sample is an axis, and multiplies the jobs. This one is "
        "spelled nearly like one of the four, and has values that would fit it.",
        "wrong:  exlude: [{surface: sand}]\nright:  exclude: [{surface: sand}]",
    ),
}

CODES: Mapping[str, Code] = MappingProxyType(_CODES)
