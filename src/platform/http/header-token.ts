/** What a header of a request can carry as one word: printable ASCII without spaces. @see RFC 9110 section 5.5 */
export const HEADER_TOKEN = /^[\x21-\x7e]+$/;
