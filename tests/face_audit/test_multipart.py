"""Forms are read back by the standard library as they were written."""

from email import message_from_bytes

from tidewaiter.face_audit.multipart import Part, form


def test_a_form_reads_back_the_same():
    picture = bytes(range(256)) * 3
    content_type, body = form(
        [Part("file", picture, file_name="picture"), Part("name", "Zoë".encode())]
    )
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    file, name = message.get_payload()
    assert file.get_payload(decode=True) == picture
    assert file.get_filename() == "picture"
    assert name.get_payload(decode=True).decode() == "Zoë"


def test_the_same_form_has_the_same_bytes():
    assert form([Part("a", b"1")]) == form([Part("a", b"1")])
