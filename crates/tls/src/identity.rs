//! Names in a certificate (X.509, RFC 5280): as much of DER as finding them takes. The certificate has been
//! verified before.

/// What of a certificate names its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The common name of the subject.
    CommonName,
    /// The first URI among the alternative names.
    Uri,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[0] version` of a certificate.
const VERSION: u8 = 0xa0;
/// `[3] extensions` of a certificate.
const EXTENSIONS: u8 = 0xa3;
/// `[6] uniformResourceIdentifier` of a general name.
const URI: u8 = 0x86;
/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// id-ce-subjectAltName, 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// One element: its tag and its contents.
type Element<'a> = (u8, &'a [u8]);

/// Takes the first element off `rest`.
fn next<'a>(rest: &mut &'a [u8]) -> Option<Element<'a>> {
    let (&tag, after) = rest.split_first()?;
    let (&first, mut after) = after.split_first()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => {
            let (bytes, more) = after.split_at_checked(usize::from(first & 0x7f))?;
            after = more;
            bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
        }
        _ => return None,
    };
    let (contents, after) = after.split_at_checked(length)?;
    *rest = after;
    Some((tag, contents))
}

fn elements(mut rest: &[u8]) -> impl Iterator<Item = Element<'_>> {
    std::iter::from_fn(move || next(&mut rest))
}

fn contents(mut rest: &[u8], tag: u8) -> Option<&[u8]> {
    next(&mut rest).filter(|element| element.0 == tag).map(|element| element.1)
}

/// A name in a certificate, if it has one that is not empty.
pub fn name_of(certificate: &[u8], field: Field) -> Option<&[u8]> {
    let body = contents(contents(certificate, SEQUENCE)?, SEQUENCE)?;
    let name = match field {
        Field::CommonName => common_name(body),
        Field::Uri => uri(body),
    };
    name.filter(|name| !name.is_empty())
}

/// The subject comes behind the serial number, the signature's algorithm, the issuer and the validity.
fn common_name(body: &[u8]) -> Option<&[u8]> {
    let (_, subject) = elements(body).filter(|element| element.0 != VERSION).nth(4)?;
    let attributes =
        elements(subject).filter(|(tag, _)| *tag == SET).flat_map(|(_, set)| elements(set));
    for (_, attribute) in attributes {
        let mut parts = elements(attribute);
        if parts.next() == Some((OBJECT_IDENTIFIER, COMMON_NAME)) {
            return parts.next().map(|(_, name)| name);
        }
    }
    None
}

fn uri(body: &[u8]) -> Option<&[u8]> {
    let (_, extensions) = elements(body).find(|element| element.0 == EXTENSIONS)?;
    for (_, extension) in elements(contents(extensions, SEQUENCE)?) {
        let mut parts = elements(extension);
        if parts.next() == Some((OBJECT_IDENTIFIER, ALTERNATIVE_NAMES)) {
            let (_, value) = parts.find(|part| part.0 == OCTET_STRING)?;
            let mut names = elements(contents(value, SEQUENCE)?);
            return names.find(|name| name.0 == URI).map(|name| name.1);
        }
    }
    None
}
