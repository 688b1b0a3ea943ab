// Go's own notes and transparency logs (golang.org/x/mod/sumdb) as a partner for our tests: one
// question in JSON a line on standard input, one answer in JSON a line on standard output.
package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const cosignatureType = 0x04

type question struct {
	Do        string
	Note      []byte   // open: the note
	Keys      []string // open: verifier keys; sign: secret keys
	Text      string   // sign
	Size, Old int64
	Index     int64
	Root      []byte
	OldRoot   []byte
	Leaf      []byte
	Path      [][]byte
	Folder    string // tiles, witness: a folder laid out as C2SP tlog-tiles
	Address   string // witness: its submission prefix
}

type answer struct {
	Error   string      `json:"error"`
	Text    string      `json:"text"`
	Signers []string    `json:"signers"`
	Note    []byte      `json:"note"`
	Path    []tlog.Hash `json:"path"`
	Root    tlog.Hash   `json:"root"`
}

func main() {
	questions := bufio.NewReaderSize(os.Stdin, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := questions.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked question
		given := answer{}
		if err = json.Unmarshal(line, &asked); err == nil {
			given, err = answered(asked)
		}
		if err != nil {
			given.Error = err.Error()
		}
		if err = answers.Encode(given); err != nil {
			return
		}
	}
}

func answered(asked question) (answer, error) {
	switch asked.Do {
	case "open":
		return opened(asked)
	case "sign":
		return signed(asked)
	case "record":
		return answer{}, checkRecord(asked)
	case "tree":
		return answer{}, checkTree(asked)
	case "tiles":
		return readTiles(asked)
	case "witness":
		return askWitness(asked)
	}
	return answer{}, fmt.Errorf("unknown question %q", asked.Do)
}

func opened(asked question) (answer, error) {
	known := make([]note.Verifier, 0, len(asked.Keys))
	for _, spelled := range asked.Keys {
		verifier, err := verifierOf(spelled)
		if err != nil {
			return answer{}, err
		}
		known = append(known, verifier)
	}
	found, err := note.Open(asked.Note, note.VerifierList(known...))
	if err != nil {
		return answer{}, err
	}
	given := answer{Text: found.Text}
	for _, one := range found.Sigs {
		given.Signers = append(given.Signers, one.Name)
	}
	return given, nil
}

func verifierOf(spelled string) (note.Verifier, error) {
	parts := strings.SplitN(spelled, "+", 3)
	if len(parts) == 3 {
		key, err := base64.StdEncoding.DecodeString(parts[2])
		if err == nil && len(key) == 33 && key[0] == cosignatureType {
			var id uint32
			if _, err = fmt.Sscanf(parts[1], "%08x", &id); err != nil {
				return nil, err
			}
			return cosigner{parts[0], id, key[1:]}, nil
		}
	}
	return note.NewVerifier(spelled)
}

// cosigner checks C2SP tlog-cosignature lines, which Go's library leaves to its callers.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }

func (c cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), text...), sig[8:])
}

func signed(asked question) (answer, error) {
	var signers []note.Signer
	for _, secret := range asked.Keys {
		signer, err := note.NewSigner(secret)
		if err != nil {
			return answer{}, err
		}
		signers = append(signers, signer)
	}
	made, err := note.Sign(&note.Note{Text: asked.Text}, signers...)
	return answer{Note: made}, err
}

func checkRecord(asked question) error {
	path, err := hashes(append(asked.Path, asked.Root, asked.Leaf))
	if err != nil {
		return err
	}
	count := len(asked.Path)
	return tlog.CheckRecord(path[:count], asked.Size, path[count], asked.Index, path[count+1])
}

func checkTree(asked question) error {
	path, err := hashes(append(asked.Path, asked.Root, asked.OldRoot))
	if err != nil {
		return err
	}
	count := len(asked.Path)
	return tlog.CheckTree(path[:count], asked.Size, path[count], asked.Old, path[count+1])
}

// readTiles proves a record by nothing but a folder of tiles and the root that they must have.
func readTiles(asked question) (answer, error) {
	root, err := hashes([][]byte{asked.Root})
	if err != nil {
		return answer{}, err
	}
	tree := tlog.Tree{N: asked.Size, Hash: root[0]}
	reader := tlog.TileHashReader(tree, tiles(asked.Folder))
	given := answer{}
	if given.Root, err = tlog.TreeHash(asked.Size, reader); err != nil {
		return answer{}, err
	}
	if asked.Old > 0 {
		path, err := tlog.ProveTree(asked.Size, asked.Old, reader)
		return answer{Root: given.Root, Path: path}, err
	}
	path, err := tlog.ProveRecord(asked.Size, asked.Index, reader)
	return answer{Root: given.Root, Path: path}, err
}

// askWitness has the folder's checkpoint confirmed (C2SP tlog-witness), by nothing but its files,
// and opens what comes back with the keys of the log and of the witness.
func askWitness(asked question) (answer, error) {
	checkpoint, err := os.ReadFile(filepath.Join(asked.Folder, "checkpoint"))
	if err != nil {
		return answer{}, err
	}
	body := fmt.Sprintf("old %d\n", asked.Old)
	if asked.Old > 0 {
		proof, err := readTiles(asked)
		if err != nil {
			return answer{}, err
		}
		for _, one := range proof.Path {
			body += one.String() + "\n"
		}
	}
	body += "\n" + string(checkpoint)
	got, err := http.Post(asked.Address+"/add-checkpoint", "text/plain", strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	said, err := io.ReadAll(io.LimitReader(got.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	if got.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("%d %s %s", got.StatusCode, got.Header.Get("Content-Type"), said)
	}
	asked.Note = append(checkpoint, said...)
	return opened(asked)
}

// tiles is a folder laid out by C2SP tlog-tiles, which names no height: it is always 8.
type tiles string

func (folder tiles) Height() int                         { return 8 }
func (folder tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (folder tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, 0, len(wanted))
	for _, one := range wanted {
		name := "tile/" + strings.TrimPrefix(one.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(folder), name))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func hashes(raw [][]byte) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(raw))
	for index, one := range raw {
		if len(one) != tlog.HashSize {
			return nil, fmt.Errorf("a hash of %d bytes", len(one))
		}
		copy(found[index][:], one)
	}
	return found, nil
}
