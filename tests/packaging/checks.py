"""For each extra a small program that uses it, as an installed reelrun does: in a folder of its own, with `run` for
the command."""

CHECKS = {
    "web": """
run("init", "demo")
run("run", "demo/campaign.yaml", "--sandbox", "--sandbox-height", "64", "--sandbox-seconds", "0", "--first", "1")
assert list(Path("demo").rglob("*.mp4"))
""",
    "excel": """
import openpyxl, runner
book = openpyxl.Workbook()
for row in (["image", "product"], ["coast.jpg", "Coast"]):
    book.active.append(row)
book.save("products.xlsx")
picture("coast.jpg")
manifest = runner.load({"version": 1, "model": "Kling-Image2Video-V1.6-Standard",
    "images": [{"table": "products.xlsx"}], "prompts": [{"id": "p", "text": "{{ product }}, slow push-in"}]})
assert [each.known["product"] for each in manifest.images] == ["Coast"]
""",
    "heic": """
import pillow_heif
from PIL import Image
pillow_heif.register_heif_opener()
Image.new("RGB", (400, 400), "teal").save("phone.heic")
Path("m.yaml").write_text('version: 1\\nmodel: Kling-Image2Video-V1.6-Standard\\nimages: [{file: phone.heic}]\\n'
    'prompts: [{id: p, text: "Slow push-in"}]\\n')
run("fix-pictures", "m.yaml")
assert list(Path("prepared").iterdir())
""",
    "measure": """
from runner.results.measuring import has_opencv
from runner.video.looking import camera_path
assert has_opencv()
""",
    "provenance": """
from runner.review.publishing.marks.certificates import trial_certificate
from runner.review.publishing.marks.signing import check_extra
check_extra()
trial_certificate(Path("trial"))
""",
    "edit": """
from runner.review.publishing.edit_lists import check_file
for name in ("a.edl", "a.otio", "a.fcpxml"):
    check_file(Path(name))
""",
    "pandas": """
from runner.results.frames.job_frame import Results
assert len(Results("none", Path(), ()).to_frame()) == 0
""",
    "cloud": """
from obstore.store import MemoryStore
from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress
address = BucketAddress.of("s3://campaigns/spring")
Bucket.open(address)
bucket = Bucket(address, MemoryStore())
assert bucket.read("a")[0] == b"1" if bucket.put_new("a", b"1") else False
""",
    "cluster": """
from distributed import Client
with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
    assert client.get_executor(pure=False).submit(int, "7").result() == 7
""",
}
